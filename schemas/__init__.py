"""What data must look like: pandera contracts, the gateway profile and the tariff."""
