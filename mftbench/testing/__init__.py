"""Conformance checks for plugins, ours and others': each says claim by claim what holds.

``check_task`` (here: ``mftbench.testing.task``), ``mftbench.testing.sandbox``,
``mftbench.testing.balancer`` and ``mftbench.testing.engine``. Modules are imported by name, so that
checking a task needs no torch.
"""
