"""The built-in methods: one file each, named as a study names it, with its class as BALANCER."""
