package vpc

import (
	"crypto/sha256"
	"encoding/hex"
)

// PrefixLists are the managed prefix lists of a home: those of the services that AWS reaches by gateway endpoints. Their ids are the same for
// everybody in a region. They have no entries: no such service is here.
func PrefixLists(h Home) []PrefixList {
	var lists []PrefixList
	for _, service := range []string{"dynamodb", "s3"} {
		name := "com.amazonaws." + h.Region + "." + service
		sum := sha256.Sum256([]byte(name))
		lists = append(lists, PrefixList{Home: h, ID: "pl-" + hex.EncodeToString(sum[:4]), Name: name, Family: "IPv4"})
	}
	return lists
}

// PrefixListOf answers the list of an id.
func PrefixListOf(h Home, id string) (PrefixList, bool) {
	for _, l := range PrefixLists(h) {
		if l.ID == id {
			return l, true
		}
	}
	return PrefixList{}, false
}
