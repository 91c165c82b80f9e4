using System.Net;
using Npgsql;

namespace Lifecycle.EndToEndTests;

/// <summary>A workspace can neither read nor guess another's data, by REST, by gRPC or by SQL in a service's role.</summary>
public sealed class TenancyTests(RunningSuite suite)
{
    private static readonly string[] Schemas = ["capture", "scoring", "nurture", "conversion", "retention"];

    [Fact]
    public async Task Rest_IdsOfAnotherWorkspace_AreNotFound()
    {
        using var walk = new Walk(suite);
        await walk.Run();
        using var stranger = await Workspace.Open(suite);
        string[] paths =
        [
            $"/v1/leads/{walk.LeadId}", $"/v1/leads/{walk.LeadId}/journey", $"/v1/leads/{walk.LeadId}/stage", $"/v1/scores/{walk.LeadId}", $"/v1/scores/{walk.LeadId}:explain",
            $"/v1/programs/{walk.ProgramId}", $"/v1/handoffs/{walk.HandoffId}", $"/v1/opportunities/{walk.OpportunityId}", $"/v1/customers/{walk.CustomerId}",
        ];

        foreach (var path in paths)
        {
            Assert.Equal(HttpStatusCode.OK, (await walk.Api.Send(HttpMethod.Get, path)).Status);
            Assert.Equal(HttpStatusCode.NotFound, (await stranger.Api.Send(HttpMethod.Get, path)).Status);
        }

        foreach (var (path, list) in new[] { ("/v1/leads", "leads"), ("/v1/handoffs", "handoffs"), ("/v1/opportunities", "opportunities"), ("/v1/customers", "customers"), ("/v1/programs", "programs") })
        {
            Assert.Equal(0, (await stranger.Api.Get(path))[list]?.AsArray().Count ?? 0);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await stranger.Api.Send(HttpMethod.Delete, $"/v1/leads/{walk.LeadId}")).Status);
        Assert.Equal(HttpStatusCode.OK, (await walk.Api.Send(HttpMethod.Get, $"/v1/leads/{walk.LeadId}")).Status);
    }

    [Fact]
    public async Task Sql_AsEveryServicesRole_ShowsNothingOfOthers()
    {
        using var walk = new Walk(suite);
        await walk.Run();
        foreach (var schema in Schemas)
        {
            await using var connection = new NpgsqlConnection(suite.Database(schema));
            await connection.OpenAsync();
            var tables = await Column(connection, $"select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped where c.relnamespace = '{schema}'::regnamespace and c.relkind in ('r', 'p')");
            Assert.NotEmpty(tables);
            foreach (var table in tables)
            {
                // No workspace, and another workspace: nothing.
                Assert.Equal(["0"], await Column(connection, $"select count(*)::text from {schema}.{table}"));
                Assert.Equal(["0"], await Column(connection, $"begin; set local app.workspace_id = '{Guid.CreateVersion7()}'; select count(*)::text from {schema}.{table}; commit"));
            }

            Assert.Equal(["false"], await Column(connection, "select (rolsuper or rolbypassrls)::text from pg_roles where rolname = current_user"));
            Assert.Equal(["0"], await Column(connection, "select count(*)::text from pg_class where relowner = (select oid from pg_roles where rolname = current_user)"));
        }
    }

    private static async Task<List<string>> Column(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<string>();
        do
        {
            while (await reader.ReadAsync())
            {
                values.Add(reader.GetString(0));
            }
        }
        while (await reader.NextResultAsync());

        return values;
    }
}
