package vpc

import (
	"strconv"
	"strings"
)

// Zone is an Availability Zone.
type Zone struct {
	Name   string // us-east-1a
	ID     string // use1-az1
	Region string
}

// Zones are the zones of a region by their names. AWS maps names to ids differently in each account; here the first name is the first id.
func Zones(region string, names []string) []Zone {
	zones := make([]Zone, len(names))
	for i, name := range names {
		zones[i] = Zone{Name: name, ID: zoneID(region, i+1), Region: region}
	}
	return zones
}

// directions are the words of region names that zone ids shorten.
var directions = map[string]string{
	"east": "e", "west": "w", "north": "n", "south": "s", "central": "c",
	"northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw", "gov": "g",
}

// zoneID is the id of a region's nth zone, as AWS makes them: ap-northeast-1 has apne1-az1.
func zoneID(region string, n int) string {
	var b strings.Builder
	for part := range strings.SplitSeq(region, "-") {
		if short, ok := directions[part]; ok {
			part = short
		}
		b.WriteString(part)
	}
	b.WriteString("-az")
	b.WriteString(strconv.Itoa(n))
	return b.String()
}
