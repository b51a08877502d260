# RabbitMQ 4 with its three nodes in as many zones: quorum queues keep a majority.
resource "aws_mq_broker" "broker" {
  broker_name                = var.name
  engine_type                = "RabbitMQ"
  engine_version             = "4.2"
  host_instance_type         = var.broker_class
  deployment_mode            = "CLUSTER_MULTI_AZ"
  auto_minor_version_upgrade = true
  publicly_accessible        = false
  subnet_ids                 = var.private_subnet_ids
  security_groups            = [aws_security_group.broker.id]

  user {
    username = "adledger"
    password = var.broker_password
  }

  logs {
    general = true
  }

  lifecycle {
    # Rotated in the broker, not here.
    ignore_changes = [user]
  }
}
