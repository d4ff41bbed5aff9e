import pytest
import torch
from transformers import LlamaConfig
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.models.llama.modeling_llama import LlamaAttention

from mftbench.inference.attention import grouped_attention


@pytest.mark.parametrize("new", [1, 3])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_grouped_attention_is_transformers_attention(new, groups):
    config = LlamaConfig(hidden_size=32, num_attention_heads=4, num_key_value_heads=groups)
    module = LlamaAttention(config, layer_idx=0)
    torch.manual_seed(0)
    query = torch.randn(3, 4, new, 8)
    key, value = torch.randn(3, groups, 7, 8), torch.randn(3, groups, 7, 8)
    mask = torch.ones(3, 1, new, 7, dtype=torch.bool)
    mask[0, :, :, :4] = False
    expected, _ = sdpa_attention_forward(module, query, key, value, mask, scaling=0.3)
    output, _ = grouped_attention(module, query, key, value, mask, scaling=0.3)
    torch.testing.assert_close(output, expected)
