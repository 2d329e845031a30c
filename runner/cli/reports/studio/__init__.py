"""What several runners share: their account, and who they are."""
