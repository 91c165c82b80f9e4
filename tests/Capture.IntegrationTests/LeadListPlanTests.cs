using Dapper;
using Lifecycle.Capture.Features.ReadLeads;
using Lifecycle.Capture.Storage;
using Lifecycle.Rpc;
using Lifecycle.Testing;

namespace Capture.IntegrationTests;

/// <summary>The plans on which the list of leads relies, as the service's own role sees them.</summary>
public sealed class LeadListPlanTests
{
    [Fact]
    public async Task List_OrderedOrFilteredByOneValue_ReadsItsIndex()
    {
        await using var database = await TestDatabase.Create<CaptureDbContext>("capture");
        var workspace = Guid.CreateVersion7(DateTimeOffset.UnixEpoch.AddYears(56));
        await database.Query(
            """
            insert into lead (workspace_id, id, version, email, external_id, stage, stage_version, create_time, update_time, capture_type, form_type, capture_time,
              profile, own, channel, source, medium, campaign, keyword)
            select case when n % 3 = 0 then gen_random_uuid() else $1 end, gen_random_uuid(), 1, 'p' || n || '@acme.example', 'x' || n,
              case when n % 500 = 0 then 'CUSTOMER' else 'LEAD' end, 0, timestamptz '2026-01-01' + n * interval '1 minute', now(),
              case when n % 400 = 0 then 'CALL' else 'FORM' end, case when n % 300 = 0 then 'demo' else 'contact' end, now(), '{}', '{}',
              case when n % 200 = 0 then 'Email' else 'Direct' end, 's' || n % 300, 'm' || n % 300, 'c' || n % 300, 'k' || n % 300
            from generate_series(1, 30000) n
            """,
            workspace);
        await database.Query("analyze lead");
        (string Filter, string Order, string Index)[] lists =
        [
            ("", "", "ix_lead_workspace_id_create_time_id"),
            ("", "createTime asc", "ix_lead_workspace_id_create_time_id"),
            ("", "email", "ix_lead_workspace_id_email_id"),
            ("createTime >= 2026-01-05", "", "ix_lead_workspace_id_create_time_id"),
            ("email = p7@acme.example", "", "ix_lead_workspace_id_email_id"),
            ("externalId = x7", "", "ix_lead_workspace_id_external_id"),
            ("stage = CUSTOMER", "", "ix_lead_workspace_id_stage_create_time_id"),
            ("captureType = CALL", "", "ix_lead_workspace_id_capture_type_create_time_id"),
            ("formType = demo", "", "ix_lead_workspace_id_form_type_create_time_id"),
            ("channel = Email", "", "ix_lead_workspace_id_channel_create_time_id"),
            ("source = s7", "", "ix_lead_workspace_id_source_create_time_id"),
            ("medium = m7", "", "ix_lead_workspace_id_medium_create_time_id"),
            ("campaign = c7", "", "ix_lead_workspace_id_campaign_create_time_id"),
            ("keyword = k7", "", "ix_lead_workspace_id_keyword_create_time_id"),
        ];
        foreach (var (filter, order, index) in lists)
        {
            var query = ListQuery.Parse(LeadReader.Fields, 50, "", filter, order, "createTime desc").Value;
            var plan = await database.UnitOfWork<CaptureDbContext>().Read(workspace, async tx =>
            {
                var parameters = new DynamicParameters(query.Parameters.ToDictionary(pair => pair.Key, pair => pair.Value));
                parameters.Add("workspace", workspace);
                return string.Join(
                    '\n', await tx.Connection.QueryAsync<string>($"explain (costs off) {LeadReader.Sql(query)}", parameters));
            }, CancellationToken.None);

            Assert.True(
                plan.Contains($" {index}", StringComparison.Ordinal) && !plan.Contains("Seq Scan", StringComparison.Ordinal),
                $"{filter} {order}:\n{plan}");
        }
    }
}
