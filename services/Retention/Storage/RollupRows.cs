using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Storage;

/// <summary>A customer's month in which its MRR or its being with us changed. The waterfall and the cohorts are sums of these.</summary>
public sealed class CustomerMonthRow : TenantRow
{
    public required Guid CustomerId { get; init; }

    /// <summary>First day of the month in the workspace's zone.</summary>
    public required DateOnly Month { get; init; }

    /// <summary>Month in which the customer began.</summary>
    public required DateOnly Cohort { get; init; }

    /// <summary>
    /// The one movement of the month: <c>NEW</c>, <c>REACTIVATION</c>, <c>EXPANSION</c>, <c>CONTRACTION</c>, <c>CHURN</c>; empty for none.
    /// </summary>
    public required string Movement { get; init; }

    public required decimal MrrStart { get; init; }

    public required decimal MrrEnd { get; init; }

    /// <summary>Times it came (began or returned).</summary>
    public required int Joined { get; init; }

    /// <summary>Times it left having been with us at the month's start: 0 or 1.</summary>
    public required int Lost { get; init; }

    /// <summary>Times it came and left within the month.</summary>
    public required int WonAndLost { get; init; }
}

/// <summary>The waterfall's month: sums of <see cref="CustomerMonthRow"/>.</summary>
public sealed class MrrMonthRow : TenantRow
{
    public required DateOnly Month { get; init; }

    public required decimal Added { get; init; }

    public required decimal Reactivated { get; init; }

    public required decimal Expanded { get; init; }

    public required decimal Contracted { get; init; }

    public required decimal Churned { get; init; }

    public required long Joined { get; init; }

    public required long Lost { get; init; }

    public required long WonAndLost { get; init; }
}

/// <summary>What a month changed of a cohort: sums of <see cref="CustomerMonthRow"/>.</summary>
public sealed class CohortMonthRow : TenantRow
{
    public required DateOnly Cohort { get; init; }

    public required DateOnly Month { get; init; }

    /// <summary>Customers that came less those that left.</summary>
    public required long Customers { get; init; }

    /// <summary>Change of their MRR.</summary>
    public required decimal Mrr { get; init; }

    /// <summary>Customers that began in the cohort, counted in its first month.</summary>
    public required long Began { get; init; }
}

/// <summary>By which months a workspace's customers are counted.</summary>
public sealed class RollupStateRow : TenantRow
{
    /// <summary>IANA name.</summary>
    public required string TimeZone { get; set; }
}

/// <summary>Customers whose ledger or start one transaction changed, and whose months are not counted since.</summary>
public sealed class RollupMarkRow : TenantRow
{
    public required Guid Id { get; init; }

    public required Guid[] CustomerIds { get; init; }
}

internal static class RollupModel
{
    public static void AddRollups(this ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<CustomerMonthRow>(month =>
        {
            month.ToTable("customer_month").HasKey(row => new { row.WorkspaceId, row.CustomerId, row.Month });
            // The customers behind a month, page by page.
            month.HasIndex(row => new { row.WorkspaceId, row.Month, row.CustomerId });
        });
        modelBuilder.Entity<MrrMonthRow>(month => month.ToTable("mrr_month").HasKey(row => new { row.WorkspaceId, row.Month }));
        modelBuilder.Entity<CohortMonthRow>(
            month => month.ToTable("cohort_month").HasKey(row => new { row.WorkspaceId, row.Cohort, row.Month }));
        modelBuilder.Entity<RollupMarkRow>(mark => mark.ToTable("rollup_mark").HasKey(row => new { row.WorkspaceId, row.Id }));
        modelBuilder.Entity<RollupStateRow>(state => state.ToTable("rollup_state").HasKey(row => row.WorkspaceId));
    }
}
