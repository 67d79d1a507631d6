"""What `client.text` and its like are: one facade a modality."""
