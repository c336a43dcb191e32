package region

import (
	"strings"
	"testing"

	"github.com/berth-ecs/berth/wire/wiretest"
)

func TestEveryOperationAsksTheAuthorizer(t *testing.T) {
	wiretest.Asks(t, described())
}

func TestCoverageNamesWhatIsServedAndRefused(t *testing.T) {
	var page strings.Builder
	if err := WriteCoverage(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| RunTask | yes |", "| ExecuteCommand | no |", "| GetCallerIdentity | yes |", "vpcLatticeConfigurations",
		"| PutImage | yes |", "| StartImageScan | no |", "scanOnPush"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the coverage page does not say %q", want)
		}
	}
}
