variable "name" {
  description = "What everything is called."
  type        = string
  default     = "adledger"
}

variable "region" {
  description = "The AWS region."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "public_subnet_ids" {
  description = "Where the load balancer is: at least two availability zones."
  type        = list(string)
}

variable "private_subnet_ids" {
  description = "Where everything else is; they need a way to the image registry, the logs and Secrets Manager."
  type        = list(string)
}

variable "certificate_arn" {
  description = "The certificate of the load balancer's name."
  type        = string
}

variable "images" {
  description = "The image of each process, with its digest; later ones are the pipeline's to set (release.py)."
  type        = object({ migrate = string, ingest = string, consumer = string, query = string })

  validation {
    condition     = alltrue([for image in values(var.images) : can(regex("(:[^:/]+|@sha256:[0-9a-f]{64})$", image)) && !endswith(image, ":latest")])
    error_message = "Each image needs a tag of its own or a digest."
  }
}

variable "sizes" {
  description = "CPU units, memory in MiB, and the fewest and most tasks of each service."
  type        = map(object({ cpu = number, memory = number, least = number, most = number }))
  default = {
    ingest   = { cpu = 1024, memory = 2048, least = 2, most = 10 }
    consumer = { cpu = 512, memory = 1024, least = 2, most = 6 }
    query    = { cpu = 512, memory = 1024, least = 2, most = 6 }
  }
}

variable "upload_storage" {
  description = "GiB of disk for the uploads that an ingest task reads, 21 to 200."
  type        = number
  default     = 40
}

variable "database" {
  description = "The database server. While a deployment runs there are twice as many tasks: 12 x 10 connections of query and 12 x 8 of the consumer."
  type        = object({ class = string, storage = number, max_connections = number })
  default     = { class = "db.m7g.large", storage = 100, max_connections = 500 }
}

variable "broker_class" {
  description = "The brokers, of which there are three."
  type        = string
  default     = "mq.m7g.medium"
}

variable "broker_password" {
  description = "The first password of the broker's user: 12 to 250 letters and digits; rotate it after the first apply."
  type        = string
  sensitive   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9]{12,250}$", var.broker_password))
    error_message = "12 to 250 letters and digits, as it becomes a part of an address."
  }
}

variable "queue_depth_per_consumer" {
  description = "How many batches may wait for each consumer."
  type        = number
  default     = 20
}

variable "alarm_topic_arns" {
  description = "Where alarms go."
  type        = list(string)
  default     = []
}

variable "deletion_protection" {
  description = "Whether the database and the load balancer refuse to be destroyed."
  type        = bool
  default     = true
}
