using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.ManagePrograms;

/// <summary>Leads as a request names them: by id and address, or by segment, page by page.</summary>
/// <param name="SegmentId">Null: by id and address.</param>
/// <param name="After">Last lead of the segment's page before.</param>
internal sealed record NamedLeads(IReadOnlyList<(string Given, LeadName Name)> Names, Guid? SegmentId, Guid After)
{
    /// <summary>Reads and checks the names.</summary>
    public static NamedLeads Read(
        IReadOnlyList<string> leadIds, IReadOnlyList<string> emails, string segmentId, string pageToken, int most, Violations violations)
    {
        var names = new List<(string, LeadName)>();
        for (var index = 0; index < leadIds.Count; index++)
        {
            violations.RequireId(leadIds[index], $"leadIds[{index}]", out var id);
            names.Add((leadIds[index], new(id, null, null)));
        }

        names.AddRange(emails.Select(email => (email, new LeadName(null, email, null))));
        violations.Require(
            names.Count > 0 == (segmentId.Length == 0), "segmentId", "Name leads by leadIds and emails, or by segmentId: one of the two.");
        violations.Require(names.Count <= most, "leadIds", $"leadIds and emails take {most} leads in all.");
        var segment = Guid.Empty;
        if (segmentId.Length > 0)
        {
            violations.RequireId(segmentId, "segmentId", out segment);
        }

        var after = Guid.Empty;
        violations.Require(
            pageToken.Length == 0 || Guid.TryParseExact(pageToken, "N", out after), "pageToken",
            "pageToken is not one that was given out.");
        return new(names, segmentId.Length == 0 ? null : segment, after);
    }

    /// <summary>The leads, null for one that nobody knows, and the token of the next page. NOT_FOUND for an unknown segment.</summary>
    public async Task<Result<(IReadOnlyList<(string Given, Guid? LeadId)> Leads, string NextPageToken)>> Find(
        Transaction<NurtureDbContext> tx, int most)
    {
        if (SegmentId is not { } segment)
        {
            var found = await LeadFinder.Find(tx, [.. Names.Select(name => name.Name)]);
            return ((IReadOnlyList<(string, Guid?)>)[.. Names.Select((name, index) => (name.Given, found[index]))], "");
        }

        if (!await tx.Connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            "select exists (select 1 from segment where workspace_id = @workspace and id = @segment)",
            new { workspace = tx.WorkspaceId, segment },
            cancellationToken: tx.CancellationToken)))
        {
            return Error.NotFound("Segment", segment);
        }

        // By the key (workspace_id, segment_id, lead_id): a page costs what it holds.
        var members = (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            """
            select lead_id from segment_member where workspace_id = @workspace and segment_id = @segment and lead_id > @after
            order by lead_id limit @most
            """,
            new { workspace = tx.WorkspaceId, segment, after = After, most },
            cancellationToken: tx.CancellationToken))).AsList();
        return (
            (IReadOnlyList<(string, Guid?)>)members.ConvertAll(id => (id.ToString(), (Guid?)id)),
            members.Count < most ? "" : $"{members[^1]:N}");
    }
}
