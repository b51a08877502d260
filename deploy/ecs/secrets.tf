# The addresses, with their passwords, are written here by an operator or a rotation, never by Terraform: its state
# would hold them. deploy/README.md tells how.
resource "aws_secretsmanager_secret" "address" {
  for_each    = toset(["owner", "reader", "broker"])
  name        = "${var.name}/${each.key}-url"
  description = "The address that the ${each.key} connects to, with its password."
}
