package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Drops returns the chains of others that drop forwarded packets: base chains of the forward hook whose policy is drop.
// Those of the installation called name are left out. It asks the nft command, and iptables-legacy where its tables exist.
func Drops(ctx context.Context, name string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := exec.LookPath("nft"); err != nil {
		return nil, errors.New("the nft command is not there (Debian package nftables)")
	}
	text, err := exec.CommandContext(ctx, "nft", "--json", "list", "chains").Output()
	if err != nil {
		return nil, fmt.Errorf("nft list chains: %w", err)
	}
	drops, err := nftDrops(text, name)
	if err != nil {
		return nil, err
	}
	if slices.Contains(strings.Fields(read("/proc/net/ip_tables_names")), "filter") {
		if text, err := exec.CommandContext(ctx, "iptables-legacy", "-S", "FORWARD").Output(); err == nil {
			drops = append(drops, legacyDrops(string(text))...)
		}
	}
	return drops, nil
}

// nftDrops reads the answer of `nft --json list chains`.
func nftDrops(text []byte, name string) ([]string, error) {
	var answer struct {
		Nftables []struct {
			Chain *struct {
				Family, Table, Name, Hook, Policy string
			}
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("nft's answer: %w", err)
	}
	var drops []string
	for _, item := range answer.Nftables {
		c := item.Chain
		if c == nil || c.Hook != "forward" || c.Policy != "drop" || strings.HasPrefix(c.Table, name) {
			continue
		}
		drops = append(drops, fmt.Sprintf("%s %s %s", c.Family, c.Table, c.Name))
	}
	slices.Sort(drops)
	return drops, nil
}

func legacyDrops(rules string) []string {
	for line := range strings.Lines(rules) {
		if strings.TrimSpace(line) == "-P FORWARD DROP" {
			return []string{"ip filter FORWARD (iptables-legacy)"}
		}
	}
	return nil
}
