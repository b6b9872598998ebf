package recorded

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// columns of GCAT's launch log and of its sites.
const (
	logTag, logDate, logVehicle, logSite, logCode = 0, 1, 9, 12, 18
	siteCode, siteLongitude, siteLatitude         = 0, 10, 11
)

const gcatLog = "gcat/launchlog_202412.tsv"

// gcatLaunches are the launches of GCAT by tag; it has a line for each payload.
func gcatLaunches(t *testing.T) map[string][]string {
	out := map[string][]string{}
	for _, cells := range tsv(t, gcatLog) {
		if _, known := out[cells[logTag]]; !known {
			out[cells[logTag]] = cells
		}
	}
	return out
}

var greek = strings.Fields("ALP BET GAM DEL EPS ZET ETA THE IOT KAP LAM MU NU XI OMI PI RHO SIG TAU UPS PHI CHI PSI OME")

// gcatTag is a designator as GCAT writes it: with Greek letters before 1963.
func gcatTag(designator string) string {
	year, rest, _ := strings.Cut(designator, "-")
	n, err := strconv.Atoi(rest)
	if year >= "1963" || err != nil {
		return designator
	}
	prefix := []string{"", "A ", "B "}[(n-1)/len(greek)]
	return year + " " + prefix + greek[(n-1)%len(greek)]
}

// Outcomes that the sample tells otherwise than GCAT's launch code.
var outcomeDiffers = map[string]string{
	"1996-064": "Mars 96 was left in a low orbit by its own stage; GCAT scores the Proton, we the launch",
}

func TestLaunchesUntilDecember2024AreThoseOfGCAT(t *testing.T) {
	known := gcatLaunches(t)
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	compared, differ := 0, 0
	for _, l := range c.first {
		if l.net.Year() >= 2025 {
			continue
		}
		entry, ok := known[gcatTag(l.designator)]
		if !ok {
			t.Errorf("GCAT has no launch %s (%s)", l.designator, l.name())
			continue
		}
		compared++
		net, precision, err := vagueDate(entry[logDate])
		if err != nil || !l.net.Equal(net) || l.precision != precision {
			t.Errorf("%s: net %v %s, GCAT says %q", l.designator, l.net, l.precision, entry[logDate])
		}
		if !slices.Contains(outcomes(entry[logCode]), l.status) {
			if outcomeDiffers[l.designator] == "" {
				t.Errorf("%s %s: %s, GCAT says %s", l.designator, l.name(), l.status, entry[logCode])
			}
			differ++
		}
		if !likelyFamily(entry[logVehicle], l.vehicle) {
			t.Errorf("%s: a %s of the families %v, GCAT says %s", l.designator, l.vehicle.label, l.vehicle.families, entry[logVehicle])
		}
	}
	t.Logf("%d launches compared, %d outcomes differ for a documented reason", compared, differ)
	if compared < 400 || differ != len(outcomeDiffers) {
		t.Errorf("%d launches compared, %d outcomes differ, documented are %d", compared, differ, len(outcomeDiffers))
	}
}

var vague = regexp.MustCompile(`^(\d{4} \w{3}) +(\d+)(?: (\d{4})(?::(\d\d))?)?(\?)?$`)

// vagueDate reads GCAT's dates: to the day, the minute or the second, with a question mark when that is uncertain.
func vagueDate(text string) (time.Time, string, error) {
	m := vague.FindStringSubmatch(text)
	if m == nil {
		return time.Time{}, "", fmt.Errorf("%q is no date", text)
	}
	layout, value, precision := "2006 Jan 2", m[1]+" "+m[2], "DAY"
	switch {
	case m[4] != "":
		layout, value, precision = layout+" 150405", value+" "+m[3]+m[4], "SEC"
	case m[3] != "":
		layout, value, precision = layout+" 1504", value+" "+m[3], "MIN"
	}
	if m[5] != "" {
		precision = map[string]string{"SEC": "MIN", "MIN": "HR"}[precision]
	}
	at, err := time.Parse(layout, value)
	return at, precision, err
}

// outcomes that agree with a launch code: "OS" and "OF" are clear, a score in between (OS85, OF40) is what LL2 mostly calls
// a partial failure.
func outcomes(code string) []string {
	switch {
	case len(code) > 2 && code[1] == 'S':
		return []string{"Success", "Partial Failure"}
	case len(code) > 2:
		return []string{"Failure", "Partial Failure"}
	case code[1] == 'S':
		return []string{"Success"}
	default:
		return []string{"Failure"}
	}
}

// families that begin otherwise than GCAT's vehicles do.
var familyNames = map[string][]string{
	"Chang Zheng": {"Long March"}, "Sputnik": {"R-7"}, "Vostok": {"R-7"}, "Voskhod": {"R-7"}, "Molniya": {"R-7"}, "Soyuz": {"R-7"},
	"Jupiter C": {"Juno"}, "Delta": {"Delta", "Thor"}, "SPARTA": {"Sparta"}, "UR-500": {"Proton / UR-500"}, "Proton": {"Proton / UR-500"},
	"N-1 11A52": {"N1"}, "N-1": {"N"}, "Energiya": {"Energia"}, "Tsiklon": {"Tsyklon"}, "SLV-3": {"SLV"}, "H-1": {"H-I"}, "Mu-": {"Mu"}, "M-V": {"Mu"},
	"Commercial Titan": {"Titan"}, "LLV-1": {"Athena"}, "Paektusan": {"Paektusan"}, "Naro": {"KSLV"}, "Nuri": {"KSLV"}, "LVM3": {"GSLV"},
	"H3": {"H3"}, "Minotaur-C": {"Taurus"}, "Shuang Quxian": {"Hyperbola"}, "Gushenxing": {"Ceres-1"}, "Cheonlima": {"Chollima"},
	"NK Kerolox": {"Chollima"}, "Lijian": {"Kinetica"}, "Jielong": {"Smart Dragon"}, "Yinli": nil, "Kairos": nil, "SLS": {"Space Launch System"},
	"Lambda": {"Lambda"}, "OS-M1": {"OS-M"}, "Europa": {"Europa"}, "Kosmos": {"Kosmos"}, "Vega C": {"Vega"},
}

func likelyFamily(gcat string, v *vehicle) bool {
	longest := ""
	for prefix := range familyNames {
		if strings.HasPrefix(gcat, prefix) && len(prefix) > len(longest) {
			longest = prefix
		}
	}
	if longest != "" {
		want := familyNames[longest]
		return want == nil && len(v.families) == 0 || slices.ContainsFunc(want, func(f string) bool { return slices.Contains(v.families, f) })
	}
	return slices.ContainsFunc(v.families, func(f string) bool { return strings.HasPrefix(gcat, f) })
}

// Launches from a place that is not near GCAT's site.
var siteDiffers = map[string]string{
	"2024-009": "Gravity-1 flew from a ship off Haiyang, by LL2; GCAT has the ship farther south",
}

func TestPadsLieNearTheSitesOfGCAT(t *testing.T) {
	type place struct{ latitude, longitude float64 }
	sites := map[string]place{}
	for _, cells := range tsv(t, "gcat/sites_202412.tsv") {
		latitude, err1 := strconv.ParseFloat(cells[siteLatitude], 64)
		longitude, err2 := strconv.ParseFloat(cells[siteLongitude], 64)
		if err1 == nil && err2 == nil {
			sites[cells[siteCode]] = place{latitude, longitude}
		}
	}
	known := gcatLaunches(t)
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	const near = 1.6 // degrees: GCAT's site is a point in a large area
	compared := 0
	for _, l := range c.first {
		entry := known[gcatTag(l.designator)]
		if entry == nil || siteDiffers[l.designator] != "" {
			continue
		}
		site, ok := sites[entry[logSite]]
		if !ok {
			t.Errorf("%s: GCAT's site %s has no place", l.designator, entry[logSite])
			continue
		}
		compared++
		if math.Abs(site.latitude-*l.pad.latitude) > near || math.Abs(site.longitude-*l.pad.longitude) > near {
			t.Errorf("%s: the pad %s at %v, %v lies far from %s at %v", l.designator, l.pad.name, *l.pad.latitude, *l.pad.longitude, entry[logSite], site)
		}
	}
	t.Logf("%d pads compared", compared)
}

func TestGreekDesignatorsAreGCATs(t *testing.T) {
	for designator, want := range map[string]string{
		"1957-001": "1957 ALP", "1960-024": "1960 OME", "1961-033": "1961 A IOT", "1962-052": "1962 B DEL", "1957-F01": "1957-F01", "1963-015": "1963-015",
	} {
		if got := gcatTag(designator); got != want {
			t.Errorf("%s is %q in GCAT, want %q", designator, got, want)
		}
	}
}
