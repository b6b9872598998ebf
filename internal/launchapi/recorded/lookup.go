package recorded

// lookup is an entry of one of LL2's small lists.
type lookup struct {
	ID          int    `json:"id"`
	Name        string `json:"name"`
	Abbrev      string `json:"abbrev"`
	Description string `json:"description"`
}

var statuses = map[string]lookup{
	"Go":               {1, "Go for Launch", "Go", "Current T-0 confirmed by official or reliable sources."},
	"TBD":              {2, "To Be Determined", "TBD", "Current date is a placeholder or rough estimation based on unreliable or interpreted sources."},
	"Success":          {3, "Launch Successful", "Success", "The launch vehicle successfully inserted its payload(s) into the target orbit(s)."},
	"Failure":          {4, "Launch Failure", "Failure", "Either the launch vehicle did not reach orbit, or the payload(s) failed to separate."},
	"Hold":             {5, "On Hold", "Hold", "The launch is paused, but can still happen within the launch window."},
	"In Flight":        {6, "Launch in Flight", "In Flight", "The launch vehicle has lifted off from the launchpad."},
	"Partial Failure":  {7, "Launch was a Partial Failure", "Partial Failure", "Either the launch vehicle delivered its payload(s) to a lower-than-planned orbit, or an exceptional event compromised the mission."},
	"TBC":              {8, "To Be Confirmed", "TBC", "Awaiting official confirmation - current date is known with some certainty."},
	"Payload Deployed": {9, "Payload Deployed", "Payload Deployed", "The payload separated; its fate is not known yet."},
}

var precisions = map[string]lookup{
	"SEC": {0, "Second", "SEC", "The T-0 is accurate to the second."},
	"MIN": {1, "Minute", "MIN", "The T-0 is accurate to the minute."},
	"HR":  {2, "Hour", "HR", "The T-0 is accurate to the hour."},
	"DAY": {5, "Day", "DAY", "The T-0 is expected on the given day."},
	"M":   {7, "Month", "M", "The T-0 is expected in the given month."},
	"Q1":  {8, "Quarter 1", "Q1", "The T-0 is expected in the first quarter of the given year."},
	"Q2":  {9, "Quarter 2", "Q2", "The T-0 is expected in the second quarter of the given year."},
	"Q3":  {10, "Quarter 3", "Q3", "The T-0 is expected in the third quarter of the given year."},
	"Q4":  {11, "Quarter 4", "Q4", "The T-0 is expected in the fourth quarter of the given year."},
	"H1":  {12, "Year Half 1", "H1", "The T-0 is expected in the first half of the given year."},
	"H2":  {13, "Year Half 2", "H2", "The T-0 is expected in the second half of the given year."},
	"Y":   {14, "Year", "Y", "The T-0 is expected in the given year."},
}

const suborbital = "Sub"

var orbits = map[string]orbit{
	"Elliptical":  {0, "Elliptical Orbit", "Elliptical", earth},
	"Direct-GEO":  {1, "Geostationary Orbit", "Direct-GEO", earth},
	"GTO":         {2, "Geostationary Transfer Orbit", "GTO", earth},
	"Helio":       {6, "Heliocentric N/A", "Helio-N/A", sun},
	"LEO":         {8, "Low Earth Orbit", "LEO", earth},
	"Lunar flyby": {9, "Lunar flyby", "Lunar flyby", moon},
	"LO":          {11, "Lunar Orbit", "LO", moon},
	"MEO":         {12, "Medium Earth Orbit", "MEO", earth},
	"PO":          {13, "Polar Orbit", "PO", earth},
	suborbital:    {15, "Suborbital", "Sub", earth},
	"L2":          {16, "Sun-Earth L2", "L2", earth},
	"SSO":         {17, "Sun-Synchronous Orbit", "SSO", earth},
	"Mars":        {19, "Mars Orbit", "Mars", mars},
	"N/A":         {25, "Unknown", "N/A", earth},
}

var (
	earth = bodyMini{"list", 1, "Earth"}
	sun   = bodyMini{"list", firstOwnID, "Sun"}
	moon  = bodyMini{"list", firstOwnID + 1, "Moon"}
	mars  = bodyMini{"list", firstOwnID + 2, "Mars"}
)

var agencyTypes = map[int]string{1: "Government", 2: "Multinational", 3: "Commercial", 4: "Private"}

var programTypes = map[int]string{
	2: "Human Spaceflight", 3: "Communication Constellation", 4: "Navigation Constellation", 7: "Technology", 8: "Earth Observation",
}
