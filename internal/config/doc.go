// Package config is berth's one configuration: every setting has one name, and that name is its flag, its environment
// variable and its key in the file.
//
// Guarantees:
//
//   - Precedence is flags, then environment, then file, then default, setting by setting.
//   - A key that is not known is an error that names it, says where it stood and names the nearest known key.
//   - Every value that is wrong is reported, not only the first, each with its key, its source and the rule it breaks.
//   - Settings that Load returned are complete and valid; nothing downstream needs to check or default them.
//
// The package is pure: it reads no file, no environment and no command line. The caller hands over what it found there.
package config
