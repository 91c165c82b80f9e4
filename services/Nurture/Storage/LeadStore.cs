using System.Text.Json;
using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Nurture.Storage;

/// <summary>Rows of leads, locked for the transaction: all that happens to one lead happens in turn.</summary>
internal static class LeadStore
{
    /// <summary>Merges in a row that are followed; Capture itself keeps them flat.</summary>
    private const int MaxMerges = 10;

    private static readonly Dictionary<string, string> NoTraits = [];

    /// <summary>
    /// The lead's row, locked and tracked; made where this is the first that is heard of it. It may be merged into another or erased.
    /// </summary>
    public static async Task<LeadRow> Lock(Transaction<NurtureDbContext> tx, Guid leadId) => (await LockAll(tx, [leadId]))[leadId];

    /// <summary>As <see cref="Lock"/>, with the lead that stands for it after merges.</summary>
    public static async Task<LeadRow> LockStanding(Transaction<NurtureDbContext> tx, Guid leadId)
    {
        var lead = await Lock(tx, leadId);
        for (var merges = 0; lead.MergedInto is { } target && merges < MaxMerges; merges++)
        {
            lead = await Lock(tx, target);
        }

        return lead;
    }

    /// <summary>Several rows at once, locked in order of their ids, so that two transactions never wait for each other.</summary>
    public static async Task<IReadOnlyDictionary<Guid, LeadRow>> LockAll(
        Transaction<NurtureDbContext> tx, IReadOnlyCollection<Guid> leadIds)
    {
        var ids = leadIds.Distinct().Order().ToArray();
        await using var batch = Make(tx, ids);
        await batch.ExecuteNonQueryAsync(tx.CancellationToken);
        var rows = await tx.Db.Leads.FromSqlRaw(
            "select * from lead where workspace_id = @workspace and lead_id = any(@ids) order by lead_id for update",
            new NpgsqlParameter("workspace", tx.WorkspaceId),
            new NpgsqlParameter("ids", ids)).ToListAsync(tx.CancellationToken);
        return rows.ToDictionary(row => row.LeadId);
    }

    /// <summary>As <see cref="LockAll"/> in one round trip, for who writes what changes himself: EF does not see these rows.</summary>
    public static async Task<IReadOnlyDictionary<Guid, LeadRow>> LockDetached(
        Transaction<NurtureDbContext> tx, IReadOnlyCollection<Guid> leadIds)
    {
        var ids = leadIds.Distinct().Order().ToArray();
        await using var batch = Make(tx, ids);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            "select * from lead where workspace_id = $1 and lead_id = any($2) order by lead_id for update")
        {
            Parameters = { Bulk.Value(tx.WorkspaceId), Bulk.Array(NpgsqlDbType.Uuid, ids) },
        });
        await using var results = await batch.ExecuteReaderAsync(tx.CancellationToken);
        // The first is the workspace's lock.
        await results.NextResultAsync(tx.CancellationToken);
        var (rows, parse) = (new Dictionary<Guid, LeadRow>(ids.Length), results.GetRowParser<LeadRow>());
        while (await results.ReadAsync(tx.CancellationToken))
        {
            var row = parse(results);
            rows.Add(row.LeadId, row);
        }

        return rows;
    }

    /// <summary>Statements that take the workspace's lock shared, and make the rows that are missing.</summary>
    private static NpgsqlBatch Make(Transaction<NurtureDbContext> tx, Guid[] ids)
    {
        var batch = new NpgsqlBatch(tx.Connection, tx.DbTransaction);
        SegmentLocks.AddShared(batch, tx.WorkspaceId);
        Bulk.Add(
            batch,
            "lead",
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, ids, _ => tx.WorkspaceId),
                BulkColumn.From("lead_id", NpgsqlDbType.Uuid, ids, id => id),
                .. new[] { "channel", "source", "medium", "campaign" }.Select(
                    name => BulkColumn.From(name, NpgsqlDbType.Text, ids, _ => "")),
                BulkColumn.From("traits", NpgsqlDbType.Jsonb, ids, _ => "{}"),
                .. new[] { "profile_version", "stage_version", "score_version" }.Select(
                    name => BulkColumn.From(name, NpgsqlDbType.Bigint, ids, _ => 0L)),
            ],
            "on conflict do nothing");
        return batch;
    }

    /// <summary>Scores of leads that <see cref="LockDetached"/> locked; nothing in the transaction waits for it.</summary>
    public static void WriteScores(Transaction<NurtureDbContext> tx, IReadOnlyCollection<LeadRow> leads) => Bulk.AddUpdate(
        tx.Closing,
        "lead",
        ["workspace_id", "lead_id"],
        [
            BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, leads, _ => tx.WorkspaceId),
            BulkColumn.From("lead_id", NpgsqlDbType.Uuid, leads, lead => lead.LeadId),
            BulkColumn.From("score_version", NpgsqlDbType.Bigint, leads, lead => lead.ScoreVersion),
            BulkColumn.From("score", NpgsqlDbType.Numeric, leads, lead => lead.Score),
            BulkColumn.From("grade", NpgsqlDbType.Text, leads, lead => lead.Grade),
            BulkColumn.From("band", NpgsqlDbType.Text, leads, lead => lead.Band),
        ]);

    /// <summary>Profiles of leads that <see cref="LockDetached"/> locked; nothing in the transaction waits for it.</summary>
    public static void WriteProfiles(Transaction<NurtureDbContext> tx, IReadOnlyCollection<LeadRow> leads) => Bulk.AddUpdate(
        tx.Closing,
        "lead",
        ["workspace_id", "lead_id"],
        [
            BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, leads, _ => tx.WorkspaceId),
            BulkColumn.From("lead_id", NpgsqlDbType.Uuid, leads, lead => lead.LeadId),
            BulkColumn.From("profile_version", NpgsqlDbType.Bigint, leads, lead => lead.ProfileVersion),
            BulkColumn.From("email", NpgsqlDbType.Text, leads, lead => lead.Email),
            BulkColumn.From("external_id", NpgsqlDbType.Text, leads, lead => lead.ExternalId),
            BulkColumn.From("capture_type", NpgsqlDbType.Text, leads, lead => lead.CaptureType),
            BulkColumn.From("form_type", NpgsqlDbType.Text, leads, lead => lead.FormType),
            BulkColumn.From("create_time", NpgsqlDbType.TimestampTz, leads, lead => lead.CreateTime),
            BulkColumn.From("channel", NpgsqlDbType.Text, leads, lead => lead.Channel),
            BulkColumn.From("source", NpgsqlDbType.Text, leads, lead => lead.Source),
            BulkColumn.From("medium", NpgsqlDbType.Text, leads, lead => lead.Medium),
            BulkColumn.From("campaign", NpgsqlDbType.Text, leads, lead => lead.Campaign),
            BulkColumn.From("keyword", NpgsqlDbType.Text, leads, lead => lead.Keyword),
            BulkColumn.From("landing_page", NpgsqlDbType.Text, leads, lead => lead.LandingPage),
            BulkColumn.From("last_touch", NpgsqlDbType.Jsonb, leads, lead => lead.LastTouch),
            BulkColumn.From("traits", NpgsqlDbType.Jsonb, leads, lead => lead.Traits),
            BulkColumn.From("company", NpgsqlDbType.Jsonb, leads, lead => lead.Company),
        ]);

    /// <summary>The lead's row, unlocked; null where nothing was heard of it.</summary>
    public static async Task<LeadRow?> Find(Transaction<NurtureDbContext> tx, Guid leadId) =>
        await tx.Db.Leads.AsNoTracking()
            .FirstOrDefaultAsync(row => row.WorkspaceId == tx.WorkspaceId && row.LeadId == leadId, tx.CancellationToken);

    /// <summary>Several rows, unlocked.</summary>
    public static async Task<IReadOnlyDictionary<Guid, LeadRow>> FindAll(
        Transaction<NurtureDbContext> tx, IReadOnlyCollection<Guid> leadIds)
    {
        var ids = leadIds.Distinct().ToArray();
        var rows = await tx.Connection.QueryAsync<LeadRow>(new CommandDefinition(
            "select * from lead where workspace_id = @workspace and lead_id = any(@ids)",
            new { workspace = tx.WorkspaceId, ids },
            cancellationToken: tx.CancellationToken));
        return rows.ToDictionary(row => row.LeadId);
    }

    /// <summary>Takes a profile over where it is newer. Of an erased person only what no longer names anybody is kept.</summary>
    /// <returns>Whether anything was taken.</returns>
    public static bool TakeProfile(LeadRow lead, Profile profile)
    {
        if (profile.Version <= lead.ProfileVersion || lead.MergedInto is not null)
        {
            return false;
        }

        lead.ProfileVersion = profile.Version;
        lead.CaptureType = profile.CaptureType;
        lead.CreateTime = profile.CreateTime.ToUniversalTime();
        (lead.Channel, lead.Source, lead.Medium, lead.Campaign) =
            (
                profile.FirstTouch.Channel,
                profile.FirstTouch.Source ?? "",
                profile.FirstTouch.Medium ?? "",
                profile.FirstTouch.Campaign ?? "");
        if (lead.EraseTime is null)
        {
            (lead.Keyword, lead.LandingPage) = (profile.FirstTouch.Keyword, profile.FirstTouch.LandingPage);
            TakeTouch(lead, profile.LastTouch);
            lead.Email = EmailAddress.Normalize(profile.Email);
            lead.ExternalId = profile.ExternalId;
            lead.Traits = JsonSerializer.Serialize(profile.Traits);
            lead.Company = profile.Company is null ? null : JsonSerializer.Serialize(profile.Company);
        }

        return true;
    }

    /// <summary>Takes the source of a visit over where it is the last one known.</summary>
    /// <returns>Whether it was taken.</returns>
    public static bool TakeTouch(LeadRow lead, TouchInfo touch)
    {
        if (lead.EraseTime is not null || lead.MergedInto is not null || LastTouch(lead)?.Time > touch.Time)
        {
            return false;
        }

        lead.LastTouch = JsonSerializer.Serialize(new TouchFacts(
            touch.Channel, touch.Source, touch.Medium, touch.Campaign, touch.Keyword, touch.LandingPage, touch.Time.ToUniversalTime()));
        return true;
    }

    /// <summary>Takes out of the row what names or describes the person.</summary>
    public static void Forget(LeadRow lead)
    {
        (lead.Email, lead.ExternalId, lead.Company, lead.Traits) = (null, null, null, "{}");
        (lead.Keyword, lead.LandingPage, lead.LastTouch) = (null, null, null);
        (lead.Score, lead.Grade, lead.Band, lead.ReturnReason) = (null, null, null, null);
    }

    /// <summary>What conditions and templates may say of the lead.</summary>
    public static LeadFacts Facts(LeadRow lead)
    {
        var company = lead.Company is null ? null : JsonSerializer.Deserialize<CompanyInfo>(lead.Company);
        return new(
            lead.LeadId, lead.Email, lead.ExternalId, lead.CaptureType, lead.FormType, lead.CreateTime, lead.Stage, lead.ReturnReason,
            lead.Channel, lead.Source, lead.Medium, lead.Campaign, lead.Score, lead.Grade, lead.Band,
            Traits(lead.Traits),
            company is null
                ? null : new(company.Name, company.Domain, company.Industry, company.Employees, company.AnnualRevenue, company.Country),
            lead.Keyword, lead.LandingPage, LastTouch(lead));
    }

    /// <summary>Traits of their JSON.</summary>
    public static IReadOnlyDictionary<string, string> Traits(string? json) =>
        json is null or "{}" ? NoTraits : JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? NoTraits;

    private static TouchFacts? LastTouch(LeadRow lead) =>
        lead.LastTouch is null ? null : JsonSerializer.Deserialize<TouchFacts>(lead.LastTouch);

    /// <summary>The profile that an event carries.</summary>
    internal sealed record Profile(
        long Version,
        string? Email,
        string? ExternalId,
        string CaptureType,
        DateTimeOffset CreateTime,
        TouchInfo FirstTouch,
        TouchInfo LastTouch,
        IReadOnlyDictionary<string, string> Traits,
        CompanyInfo? Company)
    {
        public static Profile From(LeadCaptured e) =>
            new(e.Version, e.Email, e.ExternalId, e.CaptureType, e.CreateTime, e.FirstTouch, e.LastTouch, e.Traits, e.Company);

        public static Profile From(LeadUpdated e) =>
            new(e.Version, e.Email, e.ExternalId, e.CaptureType, e.CreateTime, e.FirstTouch, e.LastTouch, e.Traits, e.Company);
    }
}
