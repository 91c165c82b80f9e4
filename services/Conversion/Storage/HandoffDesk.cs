using System.Text.Json;
using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Storage;

/// <summary>
/// Offers leads to sales, by the settings that the workspace had when the desk was read: who gets a hand-off, and until when it should be
/// answered.
/// </summary>
public sealed class HandoffDesk
{
    /// <summary>A hand-off told longer than this after it was made is a backfill: nobody is warned of its deadline.</summary>
    private static readonly TimeSpan Backfilled = TimeSpan.FromDays(1);

    private readonly Settings? settings;
    private readonly IReadOnlyList<Team> teams;
    private readonly IReadOnlyList<CrmTarget> crms;

    private HandoffDesk(Settings? settings, IReadOnlyList<Team> teams, IReadOnlyList<CrmTarget> crms) =>
        (this.settings, this.teams, this.crms) = (settings, teams, crms);

    /// <summary>The desk of the workspace. The leads to be offered are locked before.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="several">Whether it offers more than one lead.</param>
    public static async Task<HandoffDesk> Open(Transaction<ConversionDbContext> tx, bool several)
    {
        var desk = await Read(tx);
        if (several && desk.teams.Count > 1)
        {
            // Each lead asks teams by priority. Of several leads the second may ask one before that of the first: so all are taken
            // beforehand, by priority too, and two transactions never wait for each other.
            await tx.Connection.ExecuteAsync(new CommandDefinition(
                "select id from sales_team where workspace_id = @workspace order by priority, create_time, id for update",
                new { workspace = tx.WorkspaceId },
                cancellationToken: tx.CancellationToken));
        }

        return desk;
    }

    /// <summary>Offers a locked lead. The team whose territory it fits names the owner; the workspace's settings the deadline.</summary>
    public async Task Offer(
        Transaction<ConversionDbContext> tx, LeadRow lead, DateTimeOffset time, IReadOnlyList<ReasonInfo> reasons, bool reopened)
    {
        var due = Due(time);
        var chosen = await Choose(tx, lead, teams, time);
        var handoff = new HandoffRow
        {
            WorkspaceId = tx.WorkspaceId,
            Id = tx.NewId(),
            LeadId = lead.LeadId,
            CreateTime = time,
            Score = lead.Score,
            Reasons = JsonSerializer.Serialize(reasons, JsonSerializerOptions.Web),
            Owner = chosen?.Owner,
            TeamId = chosen?.TeamId,
            DueTime = due,
            OverdueTime = due is not null && tx.Now - time > Backfilled ? due : null,
            Reopened = reopened,
        };
        tx.Db.Handoffs.Add(handoff);
        if (chosen is not null)
        {
            tx.Db.HandoffAssignments.Add(Assignment(tx, handoff, 1, "service:conversion"));
        }

        CrmOutbox.TellQualified(tx, lead, handoff, reasons, crms);
    }

    /// <summary>The owner by the teams' rules, or by the turns of one team.</summary>
    /// <param name="teamId">That team; null: the first whose rule the lead fits and where somebody is.</param>
    /// <returns>Null where nobody is to be had.</returns>
    public static async Task<ChosenOwner?> Choose(Transaction<ConversionDbContext> tx, LeadRow lead, Guid? teamId) =>
        await Choose(tx, lead, (await Read(tx)).teams.Where(team => teamId is null || team.Id == teamId).ToArray(), tx.Now,
            teamId is not null);

    /// <summary>Names the owner of a hand-off whose lead is locked, and keeps who did.</summary>
    public static async Task Assign(Transaction<ConversionDbContext> tx, HandoffRow handoff, string? owner, Guid? teamId, string actor)
    {
        (handoff.Owner, handoff.TeamId) = (owner, teamId);
        var earlier = await tx.Db.HandoffAssignments.CountAsync(row => row.HandoffId == handoff.Id, tx.CancellationToken);
        tx.Db.HandoffAssignments.Add(Assignment(tx, handoff, earlier + 1, actor));
    }

    private static HandoffAssignmentRow Assignment(Transaction<ConversionDbContext> tx, HandoffRow handoff, int position,
        string actor) => new()
        {
            WorkspaceId = tx.WorkspaceId,
            HandoffId = handoff.Id,
            Position = position,
            Owner = handoff.Owner,
            TeamId = handoff.TeamId,
            Actor = actor,
            Time = tx.Now,
        };

    private static async Task<ChosenOwner?> Choose(
        Transaction<ConversionDbContext> tx, LeadRow lead, IReadOnlyList<Team> teams, DateTimeOffset now, bool anyLead = false)
    {
        var facts = teams.Count == 0 ? null : lead.Territory();
        foreach (var team in teams)
        {
            var fits = anyLead || team.Rule.Length == 0
                || (Condition.Parse(team.Rule, TerritoryLead.Catalog).TryGet(out var rule, out _) && rule.Holds(facts!, now));
            if (fits && await TakeTurn(tx, team.Id) is { } owner)
            {
                return new(owner, team.Id);
            }
        }

        return null;
    }

    /// <summary>Turns of one team are taken one after another: the row is held until the commit.</summary>
    private static async Task<string?> TakeTurn(Transaction<ConversionDbContext> tx, Guid teamId)
    {
        var team = await tx.Connection.QuerySingleOrDefaultAsync<(string Members, int Turn)>(new CommandDefinition(
            "select members::text, turn from sales_team where workspace_id = @workspace and id = @teamId for update",
            new { workspace = tx.WorkspaceId, teamId },
            cancellationToken: tx.CancellationToken));
        var members = team.Members is null ? [] : ReadMembers(team.Members);
        if (SalesTeams.Next(members, team.Turn) is not { } turn)
        {
            return null;
        }

        await tx.Connection.ExecuteAsync(new CommandDefinition(
            "update sales_team set turn = @turn where workspace_id = @workspace and id = @teamId",
            new { workspace = tx.WorkspaceId, teamId, turn },
            cancellationToken: tx.CancellationToken));
        return members[turn].Owner;
    }

    private static async Task<HandoffDesk> Read(Transaction<ConversionDbContext> tx)
    {
        await using var answers = await tx.Connection.QueryMultipleAsync(new CommandDefinition(
            """
            select s.response_minutes, s.working_hours::text, coalesce(s.time_zone, w.time_zone) as time_zone
            from handoff_settings s left join workspace w on w.id = s.workspace_id where s.workspace_id = @workspace;
            select id, rule from sales_team where workspace_id = @workspace order by priority, create_time, id;
            select id, field_map::text from crm_connection where workspace_id = @workspace and enabled and outbound_url is not null order by id
            """,
            new { workspace = tx.WorkspaceId },
            cancellationToken: tx.CancellationToken));
        var settings = await answers.ReadSingleOrDefaultAsync<Settings>();
        return new(settings, (await answers.ReadAsync<Team>()).AsList(), (await answers.ReadAsync<CrmTarget>()).AsList());
    }

    internal static TeamMember[] ReadMembers(string json) => JsonSerializer.Deserialize<TeamMember[]>(json, JsonSerializerOptions.Web)!;

    private DateTimeOffset? Due(DateTimeOffset time)
    {
        if (settings is not { ResponseMinutes: > 0 and var minutes })
        {
            return null;
        }

        var patience = TimeSpan.FromMinutes(minutes);
        return settings.WorkingHours is { } json
            ? JsonSerializer.Deserialize<WorkingHours>(json, JsonSerializerOptions.Web)!.Add(time, patience, Zone(settings.TimeZone))
            : time + patience;
    }

    private static TimeZoneInfo Zone(string? id) => id is not null && TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone
        : TimeZoneInfo.Utc;

    private sealed class Settings
    {
        public int ResponseMinutes { get; init; }

        public string? WorkingHours { get; init; }

        public string? TimeZone { get; init; }
    }

    private sealed class Team
    {
        public Guid Id { get; init; }

        public string Rule { get; init; } = "";
    }
}

/// <summary>Teams as they are kept.</summary>
public static class SalesTeamMembers
{
    /// <summary>The members of a team.</summary>
    public static IReadOnlyList<TeamMember> Sellers(this SalesTeamRow team) => HandoffDesk.ReadMembers(team.Members);
}

/// <summary>A seller by the turns of a team.</summary>
public sealed record ChosenOwner(string Owner, Guid TeamId);

/// <summary>Leads as territory rules see them.</summary>
public static class Territories
{
    private static readonly string[] Titles = ["title", "jobTitle", "job_title"];

    public static TerritoryLead Territory(this LeadRow lead)
    {
        var traits = lead.ReadTraits();
        var company = lead.ReadCompany();
        return new(
            new Dictionary<string, FieldValue>(StringComparer.Ordinal)
            {
                ["lead.email"] = FieldValue.Of(lead.Email),
                ["lead.emailDomain"] = FieldValue.Of(lead.Email is { } email && email.LastIndexOf('@') is >= 0 and var at
                    ? email[(at + 1)..] : null),
                ["lead.title"] = FieldValue.Of(Titles.Select(name => traits.GetValueOrDefault(name))
                    .FirstOrDefault(title => !string.IsNullOrEmpty(title))),
                ["lead.captureType"] = FieldValue.Of(lead.CaptureType),
                ["lead.formType"] = FieldValue.Of(lead.FormType),
                ["lead.createTime"] = FieldValue.Of(lead.CreateTime),
                ["lead.score"] = FieldValue.Of(lead.Score),
                ["lead.channel"] = FieldValue.Of(lead.Channel),
                ["lead.source"] = FieldValue.Of(lead.Source),
                ["lead.medium"] = FieldValue.Of(lead.Medium),
                ["lead.campaign"] = FieldValue.Of(lead.Campaign),
                ["lead.keyword"] = FieldValue.Of(lead.Keyword),
                ["lead.landingPage"] = FieldValue.Of(lead.LandingPage),
                ["company.name"] = FieldValue.Of(company?.Name),
                ["company.domain"] = FieldValue.Of(company?.Domain),
                ["company.industry"] = FieldValue.Of(company?.Industry),
                ["company.country"] = FieldValue.Of(company?.Country),
                ["company.employees"] = FieldValue.Of(company?.Employees),
                ["company.annualRevenue"] = FieldValue.Of(company?.AnnualRevenue),
            },
            traits);
    }

    /// <summary>What else Capture knows of the person.</summary>
    public static IReadOnlyDictionary<string, string> ReadTraits(this LeadRow lead) =>
        JsonSerializer.Deserialize<Dictionary<string, string>>(lead.Traits, JsonSerializerOptions.Web)!;

    public static CompanyInfo? ReadCompany(this LeadRow lead) =>
        lead.Company is { } json ? JsonSerializer.Deserialize<CompanyInfo>(json, JsonSerializerOptions.Web) : null;
}
