# Who may speak to whom: users to the load balancer, it to ingest and query, ingest and the consumer to the broker,
# the consumer, query and the migration to the database. Ingest has no way to the database, query none to the broker.
resource "aws_security_group" "balancer" {
  name        = "${var.name}-balancer"
  description = "The load balancer of adledger"
  vpc_id      = var.vpc_id
}

resource "aws_security_group" "process" {
  for_each    = local.commands
  name        = "${var.name}-${each.key}"
  description = "The ${each.key} tasks of adledger"
  vpc_id      = var.vpc_id
}

resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "The database of adledger"
  vpc_id      = var.vpc_id
}

resource "aws_security_group" "broker" {
  name        = "${var.name}-broker"
  description = "The broker of adledger"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "users" {
  security_group_id = aws_security_group.balancer.id
  description       = "Users"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  for_each                     = toset(["ingest", "query"])
  security_group_id            = aws_security_group.balancer.id
  description                  = "To ${each.key}"
  referenced_security_group_id = aws_security_group.process[each.key].id
  ip_protocol                  = "tcp"
  from_port                    = local.ports[each.key]
  to_port                      = local.ports[each.key]
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  for_each                     = toset(["ingest", "query"])
  security_group_id            = aws_security_group.process[each.key].id
  description                  = "From the load balancer"
  referenced_security_group_id = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = local.ports[each.key]
  to_port                      = local.ports[each.key]
}

# Images, logs and secrets come over HTTPS.
resource "aws_vpc_security_group_egress_rule" "https" {
  for_each          = local.commands
  security_group_id = aws_security_group.process[each.key].id
  description       = "Images, logs, secrets"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "database" {
  for_each                     = toset(["migrate", "consumer", "query"])
  security_group_id            = aws_security_group.process[each.key].id
  description                  = "To the database"
  referenced_security_group_id = aws_security_group.database.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  for_each                     = toset(["migrate", "consumer", "query"])
  security_group_id            = aws_security_group.database.id
  description                  = "From ${each.key}"
  referenced_security_group_id = aws_security_group.process[each.key].id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_egress_rule" "broker" {
  for_each                     = toset(["ingest", "consumer"])
  security_group_id            = aws_security_group.process[each.key].id
  description                  = "To the broker"
  referenced_security_group_id = aws_security_group.broker.id
  ip_protocol                  = "tcp"
  from_port                    = 5671
  to_port                      = 5671
}

resource "aws_vpc_security_group_ingress_rule" "broker" {
  for_each                     = toset(["ingest", "consumer"])
  security_group_id            = aws_security_group.broker.id
  description                  = "From ${each.key}"
  referenced_security_group_id = aws_security_group.process[each.key].id
  ip_protocol                  = "tcp"
  from_port                    = 5671
  to_port                      = 5671
}
