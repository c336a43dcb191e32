# One of each resource about Cloud Map, and the zone of a private namespace as modules read it.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {}

variable "v" { default = "1" }

resource "aws_vpc" "a" {
  cidr_block = "10.77.0.0/16"
}

resource "aws_service_discovery_private_dns_namespace" "a" {
  name        = "terraform.internal"
  description = "version ${var.v}"
  vpc         = aws_vpc.a.id
  tags        = { v = var.v }
}

resource "aws_service_discovery_public_dns_namespace" "a" {
  name        = "terraform.example.com"
  description = "version ${var.v}"
}

resource "aws_service_discovery_http_namespace" "a" {
  name        = "terraform"
  description = "an HTTP namespace"
  tags        = { v = var.v }
}

resource "aws_service_discovery_service" "named" {
  name         = "backend"
  namespace_id = aws_service_discovery_private_dns_namespace.a.id
  description  = "version ${var.v}"
  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.a.id
    routing_policy = "MULTIVALUE"
    dns_records {
      ttl  = 10 * var.v
      type = "A"
    }
    dns_records {
      ttl  = 10 * var.v
      type = "SRV"
    }
  }
  health_check_custom_config {
    failure_threshold = 1
  }
  tags = { v = var.v }
}

resource "aws_service_discovery_service" "checked" {
  name         = "checked"
  namespace_id = aws_service_discovery_public_dns_namespace.a.id
  dns_config {
    namespace_id   = aws_service_discovery_public_dns_namespace.a.id
    routing_policy = "WEIGHTED"
    dns_records {
      ttl  = 10
      type = "A"
    }
  }
  health_check_config {
    failure_threshold = 1 + var.v
    resource_path     = "/healthy"
    type              = "HTTP"
  }
}

resource "aws_service_discovery_service" "asked" {
  name         = "asked"
  namespace_id = aws_service_discovery_http_namespace.a.id
}

resource "aws_service_discovery_instance" "named" {
  instance_id = "one"
  service_id  = aws_service_discovery_service.named.id
  attributes = {
    AWS_INSTANCE_IPV4 = "10.77.0.${var.v}"
    AWS_INSTANCE_PORT = "8080"
    color             = "blue"
  }
}

data "aws_service_discovery_dns_namespace" "a" {
  name = aws_service_discovery_private_dns_namespace.a.name
  type = "DNS_PRIVATE"
}

data "aws_service_discovery_http_namespace" "a" {
  name = aws_service_discovery_http_namespace.a.name
}

data "aws_service_discovery_service" "a" {
  name         = aws_service_discovery_service.named.name
  namespace_id = aws_service_discovery_private_dns_namespace.a.id
}

data "aws_route53_zone" "by_id" {
  zone_id = aws_service_discovery_private_dns_namespace.a.hosted_zone
}

data "aws_route53_zone" "by_name" {
  name         = aws_service_discovery_private_dns_namespace.a.name
  private_zone = true
  vpc_id       = aws_vpc.a.id
}

output "zones" {
  value = "${data.aws_route53_zone.by_id.name} ${data.aws_route53_zone.by_name.zone_id == aws_service_discovery_private_dns_namespace.a.hosted_zone} ${length(data.aws_route53_zone.by_id.name_servers)}"
}

output "found" {
  value = "${data.aws_service_discovery_dns_namespace.a.id == aws_service_discovery_private_dns_namespace.a.id} ${data.aws_service_discovery_service.a.dns_config[0].routing_policy}"
}
