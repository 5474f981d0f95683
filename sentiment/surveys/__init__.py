"""Survey answers: out of a tool's export, past everything that is no answer, into the database."""
