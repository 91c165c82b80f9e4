using System.Text.Json;
using Dapper;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Capture.Features.ReadLeads;
using Lifecycle.Capture.Storage;
using Lifecycle.Capture.V1;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.ExportPerson;

/// <summary>Gathers all that is held on a person, here and in the other services.</summary>
internal sealed class PersonExport(
    UnitOfWork<CaptureDbContext> work, IEnumerable<PersonDataSource> others, RpcCalls calls, TimeProvider time)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    public async Task<Result<ExportLeadResponse>> Export(Caller caller, Guid id, CancellationToken ct)
    {
        if (!(await Own(caller, id, ct)).TryGet(out var own, out var error))
        {
            return error;
        }

        var data = new Struct { Fields = { ["capture"] = Value.ForStruct(own.Data) } };
        var parts = await Task.WhenAll(others.Select(async source =>
            (source.Service,
                (await source.Client().ExportPersonAsync(new() { LeadId = own.LeadId.ToString() }, calls.As(caller, ct, Deadline))).Data)));
        foreach (var (service, part) in parts)
        {
            data.Fields[service] = Value.ForStruct(part ?? new Struct());
        }

        return new ExportLeadResponse { LeadId = own.LeadId.ToString(), ExportTime = time.GetUtcNow().ToProto(), Data = data };
    }

    /// <summary>What this service holds.</summary>
    public Task<Result<(Guid LeadId, Struct Data)>> Own(
        Caller caller, Guid id, CancellationToken ct) => work.Read(caller.WorkspaceId, async tx =>
        {
            if (await LeadReader.Find(tx, caller, id) is not { } lead)
            {
                return (Result<(Guid, Struct)>)Error.NotFound("Lead", id);
            }

            var ids = new { workspace = tx.WorkspaceId, lead = Guid.Parse(lead.Id) };
            var data =
                new Struct { Fields = { ["lead"] = Value.ForList(Value.ForStruct(Struct.Parser.ParseJson(ProtoJson.Format(lead)))) } };
            data.Fields["identities"] = await Rows(
                tx, "select kind, value from lead_identity where workspace_id = @workspace and lead_id = @lead order by kind, value", ids);
            data.Fields["sessions"] = await Rows(
            tx,
            """
            select s.id, v.anonymous_id, s.start_time, s.end_time, s.channel, s.source, s.medium, s.campaign, s.keyword, s.click_id, s.landing_page, s.exit_page
            from session s join visitor v on v.workspace_id = s.workspace_id and v.id = s.visitor_id
            where s.workspace_id = @workspace and s.lead_id = @lead order by s.start_time
            """,
            ids);
            data.Fields["activities"] = await Rows(
                tx,
                "select id, session_id, type, name, time, url, properties from activity where workspace_id = @workspace and lead_id = @lead order by time, id",
                ids);
            return (ids.lead, data);
        }, ct);

    private static async Task<Value> Rows(Transaction<CaptureDbContext> tx, string query, object parameters)
    {
        var json = await tx.Connection.QuerySingleAsync<string>(
            $"select coalesce(jsonb_agg(to_jsonb(r)), '[]')::text from ({query}) r", parameters);
        using var document = JsonDocument.Parse(json);
        return Value.ForList(
            document.RootElement.EnumerateArray().Select(row => Value.ForStruct(Struct.Parser.ParseJson(row.GetRawText()))).ToArray());
    }
}

/// <summary>Another service that may hold data on a person.</summary>
/// <param name="Service">Its name.</param>
/// <param name="Client">Makes its client: only an export needs its address.</param>
internal sealed record PersonDataSource(string Service, Func<PersonDataService.PersonDataServiceClient> Client);
