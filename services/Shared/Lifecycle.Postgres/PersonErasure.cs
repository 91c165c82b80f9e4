using Dapper;
using Lifecycle.Contracts;

namespace Lifecycle.Postgres;

/// <summary>What every service does alike when a person is erased: count, forget kept answers, and confirm.</summary>
public static class PersonErasure
{
    /// <summary>Runs one statement per kind of record, in order; answers how many rows each changed.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="statements">Name of the kind, e.g. <c>activities</c>, and its statement.</param>
    /// <param name="parameters">Parameters of all statements.</param>
    public static async Task<Dictionary<string, long>> Run<TContext>(
        Transaction<TContext> tx, IEnumerable<(string Kind, string Sql)> statements, object parameters)
        where TContext : LifecycleDbContext
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (kind, sql) in statements)
        {
            counts[kind] = await tx.Connection.ExecuteAsync(
                new CommandDefinition(sql, parameters, cancellationToken: tx.CancellationToken));
        }

        return counts;
    }

    /// <summary>
    /// Empties the kept answers to earlier requests that name the lead. Their request ids stay taken, so that a request that is sent again
    /// does not bring the person back.
    /// </summary>
    /// <returns>Answers emptied.</returns>
    public static Task<int> ForgetAnswers<TContext>(Transaction<TContext> tx, IReadOnlyCollection<Guid> leadIds)
        where TContext : LifecycleDbContext =>
        tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update idempotency set response = null
            where workspace_id = @workspace and response is not null
              and exists (select 1 from unnest(@leads) as lead(id) where position(convert_to(lead.id, 'UTF8') in response) > 0)
            """,
            new { workspace = tx.WorkspaceId, leads = leadIds.Select(id => id.ToString()).ToArray() },
            cancellationToken: tx.CancellationToken));

    /// <summary>Tells Capture that this service has erased what it held; it leaves with the commit of the erasure.</summary>
    /// <param name="tx">The transaction of the erasure.</param>
    /// <param name="e">The event that asked for it.</param>
    /// <param name="service">Name of this service, e.g. <c>scoring</c>.</param>
    /// <param name="counts">Records by kind.</param>
    public static async Task Confirm<TContext>(
        Transaction<TContext> tx, LeadErased e, string service, IReadOnlyDictionary<string, long> counts)
        where TContext : LifecycleDbContext
    {
        var all = new Dictionary<string, long>(counts, StringComparer.Ordinal) { ["answers"] = await ForgetAnswers(tx, [e.LeadId]) };
        tx.Publish(new LeadErasureConfirmed(tx.NewId(), tx.WorkspaceId, tx.Now, e.Version, e.LeadId, service, tx.Now, all));
    }
}
