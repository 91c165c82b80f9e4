using System.Net;
using Lifecycle.Testing;

namespace Capture.IntegrationTests;

/// <summary>Holds the kept counts against those of a rebuild.</summary>
internal static class RollupChecks
{
    public static async Task AreThoseOfARebuild(CaptureClient workspace, TestDatabase database)
    {
        var kept = await Counts(workspace, database);
        Assert.NotEmpty(kept);

        Assert.Equal(HttpStatusCode.OK, (await workspace.Post("/v1/metrics/capture:rebuild", new { })).Status);

        Assert.Equal(await Counts(workspace, database), kept);
    }

    private static async Task<string[]> Counts(CaptureClient workspace, TestDatabase database) => (await database.Query(
        """
        select concat_ws('|', granularity, dimension, start, value, visitors, sessions, page_views, leads, form_leads, call_leads, chat_leads)
        from (
          select granularity, dimension, start, value, sum(visitors) as visitors, sum(sessions) as sessions, sum(page_views) as page_views,
            sum(leads) as leads, sum(form_leads) as form_leads, sum(call_leads) as call_leads, sum(chat_leads) as chat_leads
          from metric_count where workspace_id = $1 group by granularity, dimension, start, value) counted
        where (visitors, sessions, page_views, leads, form_leads, call_leads, chat_leads) <> (0, 0, 0, 0, 0, 0, 0)
        order by 1
        """,
        workspace.WorkspaceId)).Select(row => (string)row[0]!).ToArray();
}
