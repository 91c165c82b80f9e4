using Lifecycle.Postgres.Model;
using Lifecycle.Postgres.Outbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Lifecycle.Postgres;

/// <summary>Adds the journal of imports to a service that has some.</summary>
public static class ImportJournals
{
    /// <summary>Adds the table <c>import_job</c>.</summary>
    public static void AddImportJournal(this ModelBuilder modelBuilder) => modelBuilder.Entity<ImportJobRow>(job =>
    {
        job.ToTable("import_job");
        job.HasKey(row => new { row.WorkspaceId, row.Kind, row.RequestId });
        // For the cleaner.
        job.HasIndex(row => new { row.WorkspaceId, row.UpdateTime });
    });

    /// <summary>Lets the cleaner forget imports of which nothing was heard for <see cref="OutboxOptions.RememberDays"/>.</summary>
    public static void AddImportJournal(this IServiceCollection services) => services.AddSingleton(new RememberedTable(
        """
        delete from import_job where (workspace_id, kind, request_id) in (
          select workspace_id, kind, request_id from import_job
          where workspace_id = @workspaceId and update_time < @before order by update_time limit @size for update skip locked)
        """));
}
