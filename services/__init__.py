"""The services of adledger, and the roots that compose them."""
