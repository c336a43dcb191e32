package region

import (
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/rootkeys"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// ensureKeys answers the root keys of every account: those of the settings for the node's, else those of the data directory, made at the
// first start. They are the only keys there are until the iam wing keeps others.
func ensureKeys(s config.Settings) (sigv4.Keys, error) {
	table := sigv4.Table{}
	for _, account := range accountsOf(s) {
		var given rootkeys.Keys
		if account == s.Account {
			given = rootkeys.Keys{AccessKey: s.AccessKey, SecretKey: s.SecretKey}
		}
		keys, err := rootkeys.Ensure(rootkeys.Of{DataDir: s.DataDir, Account: account}, given, rand.Reader)
		if err != nil {
			return nil, err
		}
		if other, taken := table[keys.AccessKey]; taken {
			return nil, fmt.Errorf("root keys: accounts %s and %s have the same access key", other.Account, account)
		}
		table[keys.AccessKey] = sigv4.Key{
			Secret:    keys.SecretKey,
			Account:   account,
			Principal: "arn:aws:iam::" + account + ":root",
			UserID:    account,
		}
	}
	return table, nil
}

// accountsOf has the node's account first: it is whose keys a file without an account holds.
func accountsOf(s config.Settings) []string {
	return append([]string{s.Account}, slices.DeleteFunc(slices.Clone(s.Accounts), func(a string) bool { return a == s.Account })...)
}

// zones answers the availability zone of machines in a region that name none: the first.
func zones(s config.Settings) func(region string) string {
	return func(region string) string { return s.ZonesOf(region)[0] }
}

// regionsOf are the regions with the node's first, and whether others are answered for.
func regionsOf(s config.Settings) ([]string, bool) {
	others := slices.DeleteFunc(slices.Clone(s.Regions), func(r string) bool { return r == s.Region || r == config.AnyRegion })
	return append([]string{s.Region}, others...), s.EveryRegion()
}
