using Dapper;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Capture.Storage;
using Lifecycle.Capture.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using LeadMessage = Lifecycle.Capture.V1.Lead;

namespace Lifecycle.Capture.Features.ReadLeads;

/// <summary>Reads leads one by one and in lists.</summary>
internal sealed class LeadReader(UnitOfWork<CaptureDbContext> work)
{
    internal static readonly ListFields Fields = new ListFields("id", "l.id")
        .Sortable("createTime", "l.create_time", FieldKind.Time)
        .Sortable("email", "l.email", FieldKind.Email)
        .Add("externalId", "l.external_id")
        .Names("stage", "l.stage", Enum.GetValues<Stage>().Select(stage => stage.Name()))
        .Names("captureType", "l.capture_type", Enum.GetNames<CaptureType>().Select(name => name.ToUpperInvariant()))
        .Add("formType", "l.form_type")
        .Add("channel", "l.channel")
        .Add("source", "l.source")
        .Add("medium", "l.medium")
        .Add("campaign", "l.campaign")
        .Add("keyword", "l.keyword")
        .Add("updateTime", "l.update_time", FieldKind.Time);

    public Task<Result<LeadMessage>> Get(Caller caller, Guid id, CancellationToken ct) =>
        work.Read(
            caller.WorkspaceId,
            async tx => await Find(tx, caller, id) is { } lead ? lead : (Result<LeadMessage>)Error.NotFound("Lead", id), ct);

    public async Task<Result<ListLeadsResponse>> List(Caller caller, ListLeadsRequest request, CancellationToken ct)
    {
        if (!ListQuery.Parse(Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "createTime desc")
            .TryGet(out var query, out var error))
        {
            return error;
        }

        var parameters = new DynamicParameters();
        parameters.AddDynamicParams(query.Parameters);
        parameters.Add("workspace", caller.WorkspaceId);
        return await work.Read(caller.WorkspaceId, async tx =>
        {
            var rows = await tx.Connection.QueryAsync<ListedLead>(Sql(query), parameters);
            var (page, next) = query.Page(rows, row => row.PageKey);
            return new ListLeadsResponse
            {
                Leads = { page.Select(row => row.ToLead().ToProto(row.UpdateTime, caller.CurrencyCode)) },
                NextPageToken = next
            };
        }, ct);
    }

    /// <summary>
    /// One page. Order and at most one equality are one index's, so that a page costs by its rows: ix_lead_workspace_id_create_time_id, or
    /// the index of the value asked for. Held by a test.
    /// </summary>
    internal static string Sql(ListQuery query) =>
        $"""
        select {LeadStore.Columns}, update_time, {query.PageKey}
        from lead l
        where l.workspace_id = @workspace and l.erase_time is null and {query.Where}
        order by {query.OrderBy} limit {query.Limit}
        """;

    /// <summary>The lead as which the id lives on, as the API shows it.</summary>
    public static async Task<LeadMessage?> Find(Transaction<CaptureDbContext> tx, Caller caller, Guid id)
    {
        var rows = await tx.Connection.QueryAsync<ListedLead>(
            $"select {LeadStore.Columns}, update_time, array[]::text[] as page_key from lead where workspace_id = @workspace and id = @id and erase_time is null",
            new { workspace = tx.WorkspaceId, id = await LeadStore.Current(tx, id) });
        return rows.SingleOrDefault() is { } row ? row.ToLead().ToProto(row.UpdateTime, caller.CurrencyCode) : null;
    }

    private sealed class ListedLead : LeadStore.StoredLead
    {
        public DateTimeOffset UpdateTime { get; init; }

        public required string[] PageKey { get; init; }
    }
}
