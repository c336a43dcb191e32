package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/rootkeys"
)

// terraformProvider is a file for Terraform whose AWS provider sends to the region what it serves. As an override file
// (its name ends in _override.tf) it is laid over the provider of a configuration that stays as it is.
func terraformProvider(s config.Settings, k rootkeys.Keys, services []string) string {
	var b strings.Builder
	b.WriteString("# berth env --terraform > berth_override.tf\n")
	b.WriteString("# It holds the root keys of the account: keep it out of version control.\n")
	b.WriteString("provider \"aws\" {\n")
	for _, v := range [][2]string{
		{"region", strconv.Quote(s.Region)},
		{"access_key", hclQuote(k.AccessKey)},
		{"secret_key", hclQuote(k.SecretKey)},
		{"skip_credentials_validation", "true"},
		{"skip_metadata_api_check", "true"},
		{"skip_region_validation", "true"},
		{"skip_requesting_account_id", "false"},
	} {
		fmt.Fprintf(&b, "  %-27s = %s\n", v[0], v[1])
	}
	b.WriteString("\n  endpoints {\n")
	for _, name := range services {
		fmt.Fprintf(&b, "    %s = %s\n", name, strconv.Quote(s.Endpoint()))
	}
	b.WriteString("  }\n}\n")
	return b.String()
}

// hclQuote writes a string of Terraform's language, where "${" and "%{" begin something.
func hclQuote(s string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(strconv.Quote(s))
}
