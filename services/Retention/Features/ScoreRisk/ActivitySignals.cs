using System.Text.Json;
using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Microsoft.EntityFrameworkCore;
using NpgsqlTypes;

namespace Lifecycle.Retention.Features.ScoreRisk;

/// <summary>
/// Makes signals of what the people of a customer do. An activity is held with its lead first and then taken over by the customers of the
/// lead, whichever was known first; its id makes it one signal, however often it is told.
/// </summary>
internal static class ActivitySignals
{
    /// <summary>How long a signal waits for its lead to become a customer.</summary>
    public static readonly TimeSpan HeldFor = TimeSpan.FromDays(90);

    private const decimal MaxQuantity = 1_000_000_000;
    private const int BatchSize = 1_000;

    /// <summary>Holds those activities that the workspace's rules name, and gives them to the customers that are known.</summary>
    public static async Task Record(Transaction<RetentionDbContext> tx, IReadOnlyList<ActivityInfo> activities)
    {
        var rules = await tx.Db.SignalRules.AsNoTracking().Where(row => row.WorkspaceId == tx.WorkspaceId)
            .ToDictionaryAsync(row => row.EventKey, StringComparer.Ordinal, tx.CancellationToken);
        var found = activities.Where(one => one.Time > tx.Now - HeldFor && rules.ContainsKey(Key(one.Name)))
            .Select(one => (Activity: one, Rule: rules[Key(one.Name)])).DistinctBy(one => one.Activity.ActivityId).ToArray();
        if (found.Length == 0)
        {
            return;
        }

        var leads = await LeadProfiles.Living(tx, [.. found.Select(one => one.Activity.LeadId).Distinct()]);
        var held = found.Where(one => leads.ContainsKey(one.Activity.LeadId)).ToArray();
        await Bulk.Insert(
            tx, "held_signal",
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, held, _ => tx.WorkspaceId),
                BulkColumn.From("lead_id", NpgsqlDbType.Uuid, held, one => leads[one.Activity.LeadId]),
                BulkColumn.From("activity_id", NpgsqlDbType.Uuid, held, one => one.Activity.ActivityId),
                BulkColumn.From("kind", NpgsqlDbType.Text, held, one => one.Rule.Kind),
                BulkColumn.From("quantity", NpgsqlDbType.Numeric, held, one => Quantity(one.Activity, one.Rule.QuantityProperty)),
                BulkColumn.From("name", NpgsqlDbType.Text, held, one => one.Rule.EventName),
                BulkColumn.From("time", NpgsqlDbType.TimestampTz, held, one => one.Activity.Time),
            ],
            "on conflict do nothing");
        await Give(tx, [.. leads.Values.Distinct()]);
    }

    /// <summary>Gives held signals to customers that are known by now.</summary>
    /// <returns>Whether there may be more.</returns>
    public static async Task<bool> GiveHeld(Transaction<RetentionDbContext> tx)
    {
        var leads = (await tx.Connection.QueryAsync<Guid>(new CommandDefinition(
            """
            select distinct h.lead_id from held_signal h where h.workspace_id = @workspace and (
              exists (select 1 from customer c where c.workspace_id = @workspace and c.lead_id = h.lead_id)
              or exists (select 1 from customer_contact k where k.workspace_id = @workspace and k.lead_id = h.lead_id)) limit @limit
            """,
            new { workspace = tx.WorkspaceId, limit = BatchSize }, cancellationToken: tx.CancellationToken))).ToArray();
        await Give(tx, leads);
        return leads.Length == BatchSize;
    }

    /// <summary>Forgets what waited too long.</summary>
    /// <returns>Whether there may be more.</returns>
    public static async Task<bool> Forget(Transaction<RetentionDbContext> tx) => await tx.Connection.ExecuteAsync(new CommandDefinition(
        """
        delete from held_signal where workspace_id = @workspace and (lead_id, activity_id) in (
          select lead_id, activity_id from held_signal where workspace_id = @workspace and time < @before order by time limit @limit for update skip locked)
        """,
        new { workspace = tx.WorkspaceId, before = tx.Now - HeldFor, limit = BatchSize },
        cancellationToken: tx.CancellationToken)) == BatchSize;

    /// <summary>The name by which a rule finds an activity.</summary>
    public static string Key(string name) => name.Trim().ToLowerInvariant();

    private static async Task Give(Transaction<RetentionDbContext> tx, Guid[] leads)
    {
        if (leads.Length == 0)
        {
            return;
        }

        var held = (await tx.Connection.QueryAsync<Held>(new CommandDefinition(
            """
            select h.lead_id, h.activity_id, h.kind, h.quantity, h.name, h.time, o.customer_id
            from held_signal h join (
              select lead_id, id as customer_id from customer where workspace_id = @workspace and lead_id = any(@leads)
              union
              select lead_id, customer_id from customer_contact where workspace_id = @workspace and lead_id = any(@leads)) o on o.lead_id = h.lead_id
            where h.workspace_id = @workspace order by h.lead_id, h.activity_id, o.customer_id for update of h
            """,
            new { workspace = tx.WorkspaceId, leads }, cancellationToken: tx.CancellationToken))).AsList();
        await Bulk.Insert(
            tx, "customer_signal",
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, held, _ => tx.WorkspaceId),
                BulkColumn.From("id", NpgsqlDbType.Uuid, held, _ => tx.NewId()),
                BulkColumn.From("customer_id", NpgsqlDbType.Uuid, held, one => one.CustomerId),
                BulkColumn.From("kind", NpgsqlDbType.Text, held, one => one.Kind),
                BulkColumn.From("quantity", NpgsqlDbType.Numeric, held, one => one.Quantity),
                BulkColumn.From("name", NpgsqlDbType.Text, held, one => one.Name),
                BulkColumn.From("time", NpgsqlDbType.TimestampTz, held, one => one.Time),
                BulkColumn.From("external_id", NpgsqlDbType.Text, held, one => $"activity:{one.ActivityId}"),
                BulkColumn.From("lead_id", NpgsqlDbType.Uuid, held, one => one.LeadId),
            ],
            "on conflict do nothing");
        // Rows are locked in order of their ids, as everywhere. Who is due already need not be marked.
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update customer c set risk_due_time = @now from (
              select id from customer where workspace_id = @workspace and id = any(@customers) and not churned and risk_due_time > @now order by id for update) due
            where c.workspace_id = @workspace and c.id = due.id;
            delete from held_signal where workspace_id = @workspace and (lead_id, activity_id) in (select * from unnest(@heldLeads, @heldActivities));
            """,
            new
            {
                workspace = tx.WorkspaceId,
                now = tx.Now,
                customers = held.Select(one => one.CustomerId).Distinct().ToArray(),
                heldLeads = held.Select(one => one.LeadId).ToArray(),
                heldActivities = held.Select(one => one.ActivityId).ToArray(),
            },
            cancellationToken: tx.CancellationToken));
    }

    private static decimal Quantity(ActivityInfo activity, string property) =>
        property.Length > 0 && activity.Properties.TryGetValue(property, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetDecimal(out var quantity) && quantity is > 0 and <= MaxQuantity
            ? quantity
            : 1;

    private sealed class Held
    {
        public Guid LeadId { get; init; }

        public Guid ActivityId { get; init; }

        public string Kind { get; init; } = "";

        public decimal Quantity { get; init; }

        public string Name { get; init; } = "";

        public DateTimeOffset Time { get; init; }

        public Guid CustomerId { get; init; }
    }
}
