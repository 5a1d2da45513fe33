"""The calls of the contract, one file a noun; ``core.api.Api`` joins them."""
