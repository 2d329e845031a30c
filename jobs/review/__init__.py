"""What a person does with the images of a batch, as data: no SQL, no screen."""
