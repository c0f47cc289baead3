"""Outside data turned into profiles: files one row at a time, a provider page by page. Decides nothing about leads."""
