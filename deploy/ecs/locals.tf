locals {
  # The same ports, paths and grace as in the other deployments; a test holds them against the code.
  ports = { ingest = 8001, consumer = 8003, query = 8002 }

  commands = {
    migrate  = ["migrate"]
    ingest   = ["serve", "ingest"]
    consumer = ["consume"]
    query    = ["serve", "query"]
  }

  # Which addresses each process may know: its environment names the secrets, and its role can read no others.
  secrets = {
    migrate  = { ADLEDGER_DATABASE_URL = aws_secretsmanager_secret.address["owner"].arn }
    ingest   = { ADLEDGER_AMQP_URL = aws_secretsmanager_secret.address["broker"].arn }
    consumer = { ADLEDGER_DATABASE_URL = aws_secretsmanager_secret.address["owner"].arn, ADLEDGER_AMQP_URL = aws_secretsmanager_secret.address["broker"].arn }
    query    = { ADLEDGER_DATABASE_URL = aws_secretsmanager_secret.address["reader"].arn }
  }

  # Fargate waits 120 s at most; the longest that a process takes to finish is 40 s.
  stop_timeout = 60
}
