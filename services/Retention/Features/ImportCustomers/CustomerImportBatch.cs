using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using NpgsqlTypes;

namespace Lifecycle.Retention.Features.ImportCustomers;

/// <summary>A sound row of an import of customers; null where the file has no such cell.</summary>
internal sealed record CustomerImportRow(
    string ExternalId, string? DisplayName, Guid? LeadId, string? Email, DateTimeOffset? StartTime, DateOnly? RenewalDate,
    string? Segment, string? Plan)
{
    public string? Owner { get; init; }

    public DateOnly? ContractStart { get; init; }

    public int? TermMonths { get; init; }
}

/// <summary>
/// Applies the rows of one transaction together: two reads, one insert, one update. Rows count as if they came one after the other, so that
/// a customer twice in a batch is made once and then changed.
/// </summary>
internal static class CustomerImportBatch
{
    private const string Point = "customers";
    private const int MaxRuns = 3;

    public static async Task Apply(
        Transaction<RetentionDbContext> tx, IReadOnlyList<(int Line, CustomerImportRow Command)> rows, ImportTally tally)
    {
        for (var run = 1; ; run++)
        {
            await tx.DbTransaction.SaveAsync(Point, tx.CancellationToken);
            var counted = tally.Copy();
            if (await TryApply(tx, rows, counted) || run == MaxRuns)
            {
                tally.Take(counted);
                return;
            }

            // Somebody made one of these customers between the read and the insert: now it is there to be read.
            await tx.DbTransaction.RollbackAsync(Point, tx.CancellationToken);
        }
    }

    private static async Task<bool> TryApply(
        Transaction<RetentionDbContext> tx, IReadOnlyList<(int Line, CustomerImportRow Command)> rows, ImportTally tally)
    {
        var leads = await LeadProfiles.ByIdOrEmail(
            tx, [.. rows.Select(row => row.Command.LeadId).OfType<Guid>()],
            [.. rows.Where(row => row.Command.LeadId is null).Select(row => row.Command.Email).OfType<string>()]);
        var leadOf = rows.Select(row => row.Command.LeadId is { } id ? leads.ById(id)
            : row.Command.Email is { } email ? leads.ByEmail(email) : null).ToArray();
        var found = (await tx.Connection.QueryAsync<Held>(
            """
            select id, lead_id, external_id, display_name, start_time, renewal_date, segment, plan, owner, contract_start, term_months
            from customer
            where workspace_id = @workspace and (external_id = any(@externalIds) or lead_id = any(@leadIds)) order by id for update
            """,
            new
            {
                workspace = tx.WorkspaceId,
                externalIds = rows.Select(row => row.Command.ExternalId).ToArray(),
                leadIds = leadOf.OfType<Guid>().ToArray()
            })).AsList();
        var byExternalId = found.Where(one => one.ExternalId is not null).ToDictionary(one => one.ExternalId!, StringComparer.Ordinal);
        var byLead = found.Where(one => one.LeadId is not null).ToDictionary(one => one.LeadId!.Value);
        var (made, changed) = (new List<Held>(), new HashSet<Held>());
        for (var index = 0; index < rows.Count; index++)
        {
            var (command, leadId) = (rows[index].Command, leadOf[index]);
            var customer = byExternalId.GetValueOrDefault(command.ExternalId)
                ?? (leadId is { } lead ? byLead.GetValueOrDefault(lead) : null);
            if (customer is null)
            {
                customer = new()
                {
                    Id = tx.NewId(),
                    LeadId = leadId,
                    ExternalId = command.ExternalId,
                    DisplayName = command.ExternalId,
                    StartTime = tx.Now
                };
                customer.Take(command);
                made.Add(customer);
                if (leadId is { } own)
                {
                    byLead[own] = customer;
                }

                tally.Count(RowOutcome.Created);
            }
            else if (customer.Take(command))
            {
                changed.Add(customer);
                tally.Count(RowOutcome.Updated);
            }
            else
            {
                tally.Count(RowOutcome.Unchanged);
            }

            byExternalId[command.ExternalId] = customer;
        }

        if (await Insert(tx, made, await ImportedRisks.Begin(tx)) != made.Count)
        {
            return false;
        }

        changed.ExceptWith(made);
        RollupMarks.Add(tx, made.Concat(changed.Where(one => one.StartMoved)).Select(one => one.Id));
        await Update(tx, [.. changed]);
        await tx.Connection.ExecuteAsync(
            "update referral set converted = true where workspace_id = @workspace and not converted and referred_lead_id = any(@leadIds)",
            new { workspace = tx.WorkspaceId, leadIds = made.Select(one => one.LeadId).OfType<Guid>().ToArray() });
        return true;
    }

    private static Task<int> Insert(Transaction<RetentionDbContext> tx, List<Held> rows, ImportedRisks risks) => Bulk.Insert(
        tx, "customer",
        [
            .. Columns(tx, rows),
            BulkColumn.From(
                "risk_score", NpgsqlDbType.Numeric, rows, row => risks.IsKnown(row.LeadId, row.RenewalDate) ? 0m : (decimal?)null),
            BulkColumn.From("lead_id", NpgsqlDbType.Uuid, rows, row => row.LeadId),
            BulkColumn.From("churned", NpgsqlDbType.Boolean, rows, _ => false),
            BulkColumn.From("at_risk", NpgsqlDbType.Boolean, rows, _ => false),
            BulkColumn.From(
                "risk_due_time", NpgsqlDbType.TimestampTz, rows,
                row => risks.IsKnown(row.LeadId, row.RenewalDate) ? tx.Now.AddDays(1) : tx.Now),
            BulkColumn.From("mrr", NpgsqlDbType.Numeric, rows, _ => 0m),
            BulkColumn.From("total_revenue", NpgsqlDbType.Numeric, rows, _ => 0m),
            BulkColumn.From("version", NpgsqlDbType.Bigint, rows, _ => 0L),
        ],
        "on conflict do nothing");

    private static async Task Update(Transaction<RetentionDbContext> tx, List<Held> rows)
    {
        Bulk.AddUpdate(tx.Closing, "customer", ["workspace_id", "id"], Columns(tx, rows));
        PastPlans.Keep(
            tx, [.. rows.Where(row => row.PlanBefore is not null && row.PlanBefore != row.Plan).Select(row => (row.Id, row.PlanBefore!))]);
        await tx.Flush();
    }

    private static BulkColumn[] Columns(Transaction<RetentionDbContext> tx, List<Held> rows) =>
    [
        BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, rows, _ => tx.WorkspaceId),
        BulkColumn.From("id", NpgsqlDbType.Uuid, rows, row => row.Id),
        BulkColumn.From("external_id", NpgsqlDbType.Text, rows, row => row.ExternalId),
        BulkColumn.From("display_name", NpgsqlDbType.Text, rows, row => row.DisplayName),
        BulkColumn.From("start_time", NpgsqlDbType.TimestampTz, rows, row => row.StartTime),
        BulkColumn.From("renewal_date", NpgsqlDbType.Date, rows, row => row.RenewalDate),
        BulkColumn.From("segment", NpgsqlDbType.Text, rows, row => row.Segment),
        BulkColumn.From("plan", NpgsqlDbType.Text, rows, row => row.Plan),
        BulkColumn.From("owner", NpgsqlDbType.Text, rows, row => row.Owner),
        BulkColumn.From("contract_start", NpgsqlDbType.Date, rows, row => row.ContractStart),
        BulkColumn.From("term_months", NpgsqlDbType.Integer, rows, row => row.TermMonths),
    ];

    /// <summary>A customer as it is held and changed while a batch is applied.</summary>
    private sealed class Held
    {
        public Guid Id { get; init; }

        public Guid? LeadId { get; init; }

        public string? ExternalId { get; set; }

        public string DisplayName { get; set; } = "";

        public DateTimeOffset StartTime { get; set; }

        public DateOnly? RenewalDate { get; set; }

        public string Segment { get; set; } = "";

        public string Plan { get; set; } = "";

        public string Owner { get; set; } = "";

        public DateOnly? ContractStart { get; set; }

        public int TermMonths { get; set; }

        /// <summary>The plan before the batch; null where no row has one.</summary>
        public string? PlanBefore { get; private set; }

        /// <summary>The batch changes its start, and with it its months.</summary>
        public bool StartMoved { get; private set; }

        /// <summary>Takes the cells that the row has; whether they differ from what is held.</summary>
        public bool Take(CustomerImportRow row)
        {
            var before = (ExternalId, DisplayName, StartTime, RenewalDate, Segment, Plan, Owner, ContractStart, TermMonths);
            PlanBefore ??= row.Plan is null ? null : Plan;
            ExternalId = row.ExternalId;
            DisplayName = row.DisplayName ?? DisplayName;
            StartMoved |= row.StartTime is { } start && start != StartTime;
            StartTime = row.StartTime ?? StartTime;
            RenewalDate = row.RenewalDate ?? RenewalDate;
            Segment = row.Segment ?? Segment;
            Plan = row.Plan ?? Plan;
            Owner = row.Owner ?? Owner;
            ContractStart = row.ContractStart ?? ContractStart;
            TermMonths = row.TermMonths ?? TermMonths;
            return before != (ExternalId, DisplayName, StartTime, RenewalDate, Segment, Plan, Owner, ContractStart, TermMonths);
        }
    }
}
