using Dapper;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Nurture.Features.ManageSegments;

/// <summary>Members of segments.</summary>
internal sealed partial class SegmentGrpcService
{
    private const int MaxNames = 1000;

    private static readonly ListFields MemberFields = new ListFields("leadId", "m.lead_id")
        .Sortable("enterTime", "m.enter_time", FieldKind.Time);

    public override async Task<ListSegmentMembersResponse> ListSegmentMembers(ListSegmentMembersRequest request, ServerCallContext context)
    {
        var id = Requests.Id(request.SegmentId, "segmentId");
        var query = ListQuery.Parse(
            MemberFields, request.PageSize, request.PageToken, null, request.OrderBy, "enterTime", id.ToString()).OrThrow();
        var rows = await unitOfWork.Read(context.Caller().WorkspaceId, async tx =>
        {
            (await Find(tx, id)).OrThrow();
            return await tx.Connection.QueryAsync<ListedMember>(new CommandDefinition(
                $"""
                select m.lead_id, m.enter_time, l.email, l.stage, {query.PageKey}
                from segment_member m join lead l on l.workspace_id = m.workspace_id and l.lead_id = m.lead_id
                where m.segment_id = @segment and {query.Where} order by {query.OrderBy} limit {query.Limit}
                """,
                new DynamicParameters(query.Parameters).With("segment", id),
                cancellationToken: tx.CancellationToken));
        }, context.CancellationToken);
        var (page, next) = query.Page(rows, row => row.PageKey);
        return new()
        {
            Members =
            {
                page.Select(row => new SegmentMember
                {
                    LeadId = row.LeadId.ToString(),
                    Email = row.Email ?? "",
                    Stage = Requests.ToStage(row.Stage),
                    EnterTime = row.EnterTime.ToTimestamp(),
                }),
            },
            NextPageToken = next,
        };
    }

    public override Task<ChangeSegmentMembersResponse> AddSegmentMembers(AddSegmentMembersRequest request, ServerCallContext context) =>
        ChangeMembers(
            request, request.SegmentId, request.RequestId, new(request.LeadIds, request.Emails, request.ExternalIds), true, context);

    public override Task<ChangeSegmentMembersResponse> RemoveSegmentMembers(
        RemoveSegmentMembersRequest request, ServerCallContext context) =>
        ChangeMembers(
            request, request.SegmentId, request.RequestId, new(request.LeadIds, request.Emails, request.ExternalIds), false, context);

    public override async Task<ImportResponse> ImportSegmentMembers(
        IAsyncStreamReader<ImportChunk> requestStream, ServerCallContext context) =>
        (await import.Import(context.Caller().WorkspaceId, requestStream, context.CancellationToken)).OrThrow();

    private async Task<ChangeSegmentMembersResponse> ChangeMembers(
        IMessage request, string segmentId, string requestId, NamedLeads named, bool add, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(segmentId, "segmentId", out var list);
        var count = named.LeadIds.Count + named.Emails.Count + named.ExternalIds.Count;
        violations.Require(count is > 0 and <= MaxNames, "leadIds", $"1 to {MaxNames} leads are named by leadIds, emails or externalIds.");
        foreach (var (id, index) in named.LeadIds.Select((id, index) => (id, index)))
        {
            violations.RequireId(id, $"leadIds[{index}]", out _);
        }

        violations.OrThrow();
        var (texts, names) = named.ToNames();
        return (await unitOfWork.RunIdempotent<ChangeSegmentMembersResponse>(
            context.Caller().WorkspaceId, context.Method, requestId, request, async tx =>
            {
                var found = await SegmentRules.RequireList(tx, list);
                if (!found.Succeeded)
                {
                    return found.Error!;
                }

                var leads = await LeadFinder.Find(tx, names);
                var known = leads.OfType<Guid>().Distinct().ToList();
                var changed = await lists.Change(tx, list, known, add);
                return new ChangeSegmentMembersResponse
                {
                    Changed = changed.Count,
                    Unchanged = known.Count - changed.Count,
                    Unknown = { texts.Where((_, index) => leads[index] is null) },
                };
            }, context.CancellationToken)).OrThrow();
    }

    private sealed record NamedLeads(IReadOnlyList<string> LeadIds, IReadOnlyList<string> Emails, IReadOnlyList<string> ExternalIds)
    {
        public (IReadOnlyList<string> Texts, IReadOnlyList<LeadName> Names) ToNames() =>
            ([.. LeadIds, .. Emails, .. ExternalIds],
            [
                .. LeadIds.Select(id => new LeadName(Guid.Parse(id), null, null)),
                .. Emails.Select(email => new LeadName(null, email, null)),
                .. ExternalIds.Select(id => new LeadName(null, null, id)),
            ]);
    }

    private sealed class ListedMember
    {
        public Guid LeadId { get; init; }

        public DateTimeOffset EnterTime { get; init; }

        public string? Email { get; init; }

        public string? Stage { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
