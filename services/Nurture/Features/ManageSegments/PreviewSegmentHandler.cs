using System.Globalization;
using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Features.JudgeSegments;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Features.ManageSegments;

/// <summary>
/// Counts who would be in a segment, newest leads first, a bounded number of leads a call: the token carries how far the counting has come,
/// so that any process can go on with it.
/// </summary>
internal sealed class PreviewSegmentHandler(UnitOfWork<NurtureDbContext> unitOfWork, IOptions<NurtureOptions> options)
{
    private const int SampleSize = 20;

    /// <summary>Leads that are in memory at once.</summary>
    private const int ChunkSize = 2_000;

    public async Task<PreviewSegmentResponse> Preview(Guid workspaceId, PreviewSegmentRequest request, CancellationToken ct)
    {
        var condition = Condition.Parse(request.Condition, LeadFacts.SegmentCatalog).OrThrow();
        var place = Place.Read(request).OrThrow();
        return await unitOfWork.Read(workspaceId, tx => Preview(tx, condition, request, place), ct);
    }

    private async Task<PreviewSegmentResponse> Preview(
        Transaction<NurtureDbContext> tx, Condition condition, PreviewSegmentRequest request, Place? place)
    {
        var response = new PreviewSegmentResponse
        {
            Count = place?.Count ?? 0,
            EvaluatedCount = place?.Evaluated ?? 0,
            TotalCount = place?.Total ?? await Total(tx),
        };
        var zone = condition.Dates.Count > 0 ? await MembershipKeeper.WorkspaceZone(tx) : TimeZoneInfo.Utc;
        var (last, judged, isAtEnd) = (place?.Last, 0, false);
        while (judged < options.Value.PreviewLeads && !isAtEnd)
        {
            var size = Math.Min(ChunkSize, options.Value.PreviewLeads - judged);
            var leads = await Chunk(tx, condition, last, size);
            var members = await Members(tx, condition, leads);
            var activities = await ActivityStore.Load(tx, leads.ConvertAll(lead => lead.LeadId), condition.Tallies);
            foreach (var lead in leads)
            {
                var subject = new SegmentSubject(
                    LeadStore.Facts(lead), [.. activities[lead.LeadId]], members[lead.LeadId].ToHashSet(), zone);
                if (condition.Holds(subject, tx.Now))
                {
                    response.Count++;
                    if (place is null && response.Sample.Count < SampleSize)
                    {
                        response.Sample.Add(new SegmentMember
                        {
                            LeadId = lead.LeadId.ToString(),
                            Email = lead.Email ?? "",
                            Stage = Requests.ToStage(lead.Stage)
                        });
                    }
                }
            }

            judged += leads.Count;
            isAtEnd = leads.Count < size;
            last = leads.Count > 0 ? leads[^1].LeadId : last;
        }

        response.EvaluatedCount += judged;
        response.Truncated = !isAtEnd && await Chunk(tx, condition, last, 1) is { Count: > 0 };
        // Leads may have come since they were counted.
        response.TotalCount = response.Truncated ? Math.Max(response.TotalCount, response.EvaluatedCount + 1) : response.EvaluatedCount;
        response.Progress = response.TotalCount == 0 ? 1 : (double)response.EvaluatedCount / response.TotalCount;
        response.NextPageToken = response.Truncated
            ? new Place(last!.Value, response.Count, response.EvaluatedCount, response.TotalCount).ToToken(request)
            : "";
        return response;
    }

    private static Task<long> Total(Transaction<NurtureDbContext> tx) => tx.Connection.ExecuteScalarAsync<long>(new CommandDefinition(
        "select count(*) from lead where workspace_id = @workspace and profile_version > 0 and merged_into is null and erase_time is null",
        new { workspace = tx.WorkspaceId },
        cancellationToken: tx.CancellationToken));

    private static async Task<List<LeadRow>> Chunk(Transaction<NurtureDbContext> tx, Condition condition, Guid? before, int size) =>
        (await tx.Connection.QueryAsync<LeadRow>(new CommandDefinition(
            $"""
            select {LeadColumns.For([condition])}{(before is null ? ", email as email, stage as stage" : "")} from lead
            where workspace_id = @workspace and profile_version > 0 and merged_into is null and erase_time is null
              {(before is null ? "" : "and lead_id < @before")}
            order by lead_id desc limit @size
            """,
            new { workspace = tx.WorkspaceId, before, size },
            cancellationToken: tx.CancellationToken))).AsList();

    private static async Task<ILookup<Guid, Guid>> Members(Transaction<NurtureDbContext> tx, Condition condition, List<LeadRow> leads)
    {
        var rows = condition.Segments.Count == 0
            ? []
            : await tx.Connection.QueryAsync<(Guid Lead, Guid Segment)>(new CommandDefinition(
                "select lead_id, segment_id from segment_member where workspace_id = @workspace and segment_id = any(@segments) and lead_id = any(@leads)",
                new
                {
                    workspace = tx.WorkspaceId,
                    segments = condition.Segments.ToArray(),
                    leads = leads.Select(lead => lead.LeadId).ToArray()
                },
                cancellationToken: tx.CancellationToken));
        return rows.ToLookup(row => row.Lead, row => row.Segment);
    }

    /// <summary>How far a preview has come.</summary>
    private sealed record Place(Guid Last, long Count, long Evaluated, long Total)
    {
        public static Result<Place?> Read(PreviewSegmentRequest request)
        {
            var decoded = PageTokens.Decode(request.PageToken, request.Condition, 4);
            if (!decoded.TryGet(out var parts, out var error))
            {
                return error;
            }

            return parts.Count == 0
                ? (Place?)null
                : Guid.TryParse(parts[0], out var last) && long.TryParse(parts[1], out var count)
                    && long.TryParse(parts[2], out var evaluated)
                    && long.TryParse(parts[3], out var total)
                    ? new Place(last, count, evaluated, total)
                    : Error.Invalid("pageToken", "pageToken is none that this method gave out.");
        }

        public string ToToken(PreviewSegmentRequest request) => PageTokens.Encode(
            request.Condition,
            [
                Last.ToString(), Count.ToString(CultureInfo.InvariantCulture), Evaluated.ToString(CultureInfo.InvariantCulture),
                Total.ToString(CultureInfo.InvariantCulture),
            ]);
    }
}
