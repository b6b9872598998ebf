package recorded

import "encoding/json"

// The types below are LL2 2.3.0's LaunchDetailed and what it nests, fields in the API's order. What the recording never
// has is a nothing: null, or an empty list.
type (
	launchDetailed struct {
		ID                string         `json:"id"`
		URL               string         `json:"url"`
		Name              string         `json:"name"`
		ResponseMode      string         `json:"response_mode"`
		Slug              string         `json:"slug"`
		LaunchDesignator  *string        `json:"launch_designator"`
		Status            lookup         `json:"status"`
		LastUpdated       string         `json:"last_updated"`
		Net               string         `json:"net"`
		NetPrecision      *lookup        `json:"net_precision"`
		WindowEnd         string         `json:"window_end"`
		WindowStart       string         `json:"window_start"`
		Image             null           `json:"image"`
		Infographic       null           `json:"infographic"`
		Probability       *int           `json:"probability"`
		WeatherConcerns   null           `json:"weather_concerns"`
		Failreason        string         `json:"failreason"`
		Hashtag           *string        `json:"hashtag"`
		Provider          agencyDetailed `json:"launch_service_provider"`
		Rocket            rocketDetailed `json:"rocket"`
		Mission           mission        `json:"mission"`
		Pad               padDetailed    `json:"pad"`
		WebcastLive       bool           `json:"webcast_live"`
		Program           []program      `json:"program"`
		OrbitalCount      *int           `json:"orbital_launch_attempt_count"`
		LocationCount     int            `json:"location_launch_attempt_count"`
		PadCount          int            `json:"pad_launch_attempt_count"`
		AgencyCount       int            `json:"agency_launch_attempt_count"`
		OrbitalCountYear  *int           `json:"orbital_launch_attempt_count_year"`
		LocationCountYear int            `json:"location_launch_attempt_count_year"`
		PadCountYear      int            `json:"pad_launch_attempt_count_year"`
		AgencyCountYear   int            `json:"agency_launch_attempt_count_year"`
		FlightclubURL     null           `json:"flightclub_url"`
		Updates           list           `json:"updates"`
		InfoURLs          list           `json:"info_urls"`
		VidURLs           list           `json:"vid_urls"`
		Timeline          list           `json:"timeline"`
		PadTurnaround     string         `json:"pad_turnaround"`
		MissionPatches    list           `json:"mission_patches"`
	}

	agencyDetailed struct {
		agencyNormal
		totals
		landings
		SpacecraftLandings  int     `json:"successful_landings_spacecraft"`
		SpacecraftFailed    int     `json:"failed_landings_spacecraft"`
		SpacecraftAttempted int     `json:"attempted_landings_spacecraft"`
		PayloadLandings     int     `json:"successful_landings_payload"`
		PayloadFailed       int     `json:"failed_landings_payload"`
		PayloadAttempted    int     `json:"attempted_landings_payload"`
		InfoURL             *string `json:"info_url"`
		WikiURL             *string `json:"wiki_url"`
		SocialMediaLinks    list    `json:"social_media_links"`
	}

	agencyNormal struct {
		ResponseMode  string   `json:"response_mode"`
		ID            int      `json:"id"`
		URL           string   `json:"url"`
		Name          string   `json:"name"`
		Abbrev        string   `json:"abbrev"`
		Type          named    `json:"type"`
		Featured      bool     `json:"featured"`
		Country       []nation `json:"country"`
		Description   *string  `json:"description"`
		Administrator null     `json:"administrator"`
		FoundingYear  *int     `json:"founding_year"`
		Launchers     string   `json:"launchers"`
		Spacecraft    string   `json:"spacecraft"`
		Parent        null     `json:"parent"`
		Image         null     `json:"image"`
		Logo          null     `json:"logo"`
		SocialLogo    null     `json:"social_logo"`
	}

	rocketDetailed struct {
		ID              int            `json:"id"`
		Configuration   configDetailed `json:"configuration"`
		LauncherStage   list           `json:"launcher_stage"`
		SpacecraftStage list           `json:"spacecraft_stage"`
		Payloads        list           `json:"payloads"`
	}

	configDetailed struct {
		ResponseMode  string          `json:"response_mode"`
		ID            int             `json:"id"`
		URL           string          `json:"url"`
		Name          string          `json:"name"`
		Families      []family        `json:"families"`
		FullName      string          `json:"full_name"`
		Variant       string          `json:"variant"`
		Active        bool            `json:"active"`
		IsPlaceholder bool            `json:"is_placeholder"`
		Manufacturer  *agencyDetailed `json:"manufacturer"`
		Program       list            `json:"program"`
		Reusable      bool            `json:"reusable"`
		Image         null            `json:"image"`
		InfoURL       null            `json:"info_url"`
		WikiURL       null            `json:"wiki_url"`
		Description   string          `json:"description"`
		Alias         string          `json:"alias"`
		MinStage      *int            `json:"min_stage"`
		MaxStage      *int            `json:"max_stage"`
		Length        *float64        `json:"length"`
		Diameter      *float64        `json:"diameter"`
		MaidenFlight  *string         `json:"maiden_flight"`
		LaunchCost    *int            `json:"launch_cost"`
		LaunchMass    *float64        `json:"launch_mass"`
		LEOCapacity   *float64        `json:"leo_capacity"`
		GTOCapacity   *float64        `json:"gto_capacity"`
		GEOCapacity   *float64        `json:"geo_capacity"`
		SSOCapacity   *float64        `json:"sso_capacity"`
		TOThrust      *float64        `json:"to_thrust"`
		Apogee        *float64        `json:"apogee"`
		totals
		landings
		FastestTurnaround *string `json:"fastest_turnaround"`
	}

	family struct {
		ResponseMode string        `json:"response_mode"`
		ID           int           `json:"id"`
		Name         string        `json:"name"`
		Manufacturer list          `json:"manufacturer"`
		Parent       *familyParent `json:"parent"`
		Description  string        `json:"description"`
		Active       bool          `json:"active"`
		MaidenFlight *string       `json:"maiden_flight"`
		totals
		landings
	}

	familyParent struct {
		ResponseMode string `json:"response_mode"`
		ID           int    `json:"id"`
		Name         string `json:"name"`
		Manufacturer list   `json:"manufacturer"`
		Parent       null   `json:"parent"`
	}
)

// totals and landings are as of the state, as LL2's are as of the request.
type (
	totals struct {
		Launches    int `json:"total_launch_count"`
		Consecutive int `json:"consecutive_successful_launches"`
		Successful  int `json:"successful_launches"`
		Failed      int `json:"failed_launches"`
		Pending     int `json:"pending_launches"`
	}
	landings struct {
		Attempted   int `json:"attempted_landings"`
		Successful  int `json:"successful_landings"`
		Failed      int `json:"failed_landings"`
		Consecutive int `json:"consecutive_successful_landings"`
	}
)

type (
	mission struct {
		ID          int    `json:"id"`
		Name        string `json:"name"`
		Type        string `json:"type"`
		Description string `json:"description"`
		Image       null   `json:"image"`
		Orbit       orbit  `json:"orbit"`
		Agencies    list   `json:"agencies"`
		InfoURLs    list   `json:"info_urls"`
		VidURLs     list   `json:"vid_urls"`
	}
	orbit struct {
		ID     int      `json:"id"`
		Name   string   `json:"name"`
		Abbrev string   `json:"abbrev"`
		Body   bodyMini `json:"celestial_body"`
	}
	bodyMini struct {
		ResponseMode string `json:"response_mode"`
		ID           int    `json:"id"`
		Name         string `json:"name"`
	}
)

type (
	padDetailed struct {
		ID                int              `json:"id"`
		URL               string           `json:"url"`
		Active            bool             `json:"active"`
		Agencies          list             `json:"agencies"`
		Name              string           `json:"name"`
		Image             null             `json:"image"`
		Description       *string          `json:"description"`
		InfoURL           null             `json:"info_url"`
		WikiURL           string           `json:"wiki_url"`
		MapURL            string           `json:"map_url"`
		Latitude          *float64         `json:"latitude"`
		Longitude         *float64         `json:"longitude"`
		Country           *nation          `json:"country"`
		MapImage          null             `json:"map_image"`
		Launches          int              `json:"total_launch_count"`
		OrbitalLaunches   int              `json:"orbital_launch_attempt_count"`
		FastestTurnaround *string          `json:"fastest_turnaround"`
		Location          locationDetailed `json:"location"`
	}
	locationDetailed struct {
		ResponseMode string       `json:"response_mode"`
		ID           int          `json:"id"`
		URL          string       `json:"url"`
		Name         string       `json:"name"`
		Body         bodyDetailed `json:"celestial_body"`
		Active       bool         `json:"active"`
		Country      *nation      `json:"country"`
		Description  *string      `json:"description"`
		Image        null         `json:"image"`
		MapImage     null         `json:"map_image"`
		Longitude    *float64     `json:"longitude"`
		Latitude     *float64     `json:"latitude"`
		TimezoneName string       `json:"timezone_name"`
		Launches     int          `json:"total_launch_count"`
		Landings     int          `json:"total_landing_count"`
	}
	bodyDetailed struct {
		ResponseMode      string  `json:"response_mode"`
		ID                int     `json:"id"`
		Name              string  `json:"name"`
		Type              named   `json:"type"`
		Diameter          int     `json:"diameter"`
		Mass              float64 `json:"mass"`
		Gravity           float64 `json:"gravity"`
		LengthOfDay       string  `json:"length_of_day"`
		Atmosphere        bool    `json:"atmosphere"`
		Image             null    `json:"image"`
		Description       string  `json:"description"`
		WikiURL           string  `json:"wiki_url"`
		AttemptedLaunches int     `json:"total_attempted_launches"`
		Launches          int     `json:"successful_launches"`
		FailedLaunches    int     `json:"failed_launches"`
		AttemptedLandings int     `json:"total_attempted_landings"`
		Landings          int     `json:"successful_landings"`
		FailedLandings    int     `json:"failed_landings"`
	}
)

type (
	nation struct {
		ID                  int    `json:"id"`
		Name                string `json:"name"`
		Alpha2              string `json:"alpha_2_code"`
		Alpha3              string `json:"alpha_3_code"`
		Nationality         string `json:"nationality_name"`
		NationalityComposed string `json:"nationality_name_composed"`
	}
	named struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
	}
	program struct {
		ResponseMode   string `json:"response_mode"`
		ID             int    `json:"id"`
		URL            string `json:"url"`
		Name           string `json:"name"`
		Image          null   `json:"image"`
		InfoURL        null   `json:"info_url"`
		WikiURL        null   `json:"wiki_url"`
		Description    string `json:"description"`
		Agencies       list   `json:"agencies"`
		StartDate      null   `json:"start_date"`
		EndDate        null   `json:"end_date"`
		MissionPatches list   `json:"mission_patches"`
		Type           named  `json:"type"`
	}
)

type null struct{}

func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

type list struct{}

func (list) MarshalJSON() ([]byte, error) { return []byte("[]"), nil }

var (
	_ json.Marshaler = null{}
	_ json.Marshaler = list{}
)
