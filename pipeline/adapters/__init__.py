"""Every effect but the ledger: files, tables in files, the gateway."""
