// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import "github.com/ddbseal/ddbseal/localaws/internal/wire"

// absent are the operations of CloudTrail that this server does not have, by what
// it would need for them.
var absent = map[string]string{
	"channels": "CreateChannel DeleteChannel GetChannel ListChannels UpdateChannel",
	"dashboards": "CreateDashboard DeleteDashboard GetDashboard ListDashboards StartDashboardRefresh " +
		"UpdateDashboard",
	"digests":             "ListPublicKeys",
	"event configuration": "GetEventConfiguration PutEventConfiguration",
	"event data stores": "CancelQuery CreateEventDataStore DeleteEventDataStore DescribeQuery " +
		"DisableFederation EnableFederation GenerateQuery GetEventDataStore GetQueryResults ListEventDataStores " +
		"ListQueries RestoreEventDataStore SearchSampleQueries StartEventDataStoreIngestion StartQuery " +
		"StopEventDataStoreIngestion UpdateEventDataStore",
	"imports":           "GetImport ListImportFailures ListImports StartImport StopImport",
	"insights":          "GetInsightSelectors ListInsightsData ListInsightsMetricData PutInsightSelectors",
	"organizations":     "DeregisterOrganizationDelegatedAdmin RegisterOrganizationDelegatedAdmin",
	"resource policies": "DeleteResourcePolicy GetResourcePolicy PutResourcePolicy",
	"trails": "AddTags CreateTrail DeleteTrail DescribeTrails GetEventSelectors GetTrail GetTrailStatus " +
		"ListTags ListTrails PutEventSelectors RemoveTags StartLogging StopLogging UpdateTrail",
}

// Coverage returns which operations are served and which are refused by name.
func (s *Service) Coverage() wire.Coverage { return operations.Coverage() }
