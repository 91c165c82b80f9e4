using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.FollowUpSurveys;

/// <summary>A workspace's themes.</summary>
internal static class ThemeStore
{
    public const int MaxThemes = 100;

    /// <summary>By name.</summary>
    public static async Task<List<SurveyThemeRow>> Rows(Transaction<RetentionDbContext> tx) =>
        await tx.Db.Themes.Where(row => row.WorkspaceId == tx.WorkspaceId).OrderBy(row => row.DisplayName)
            .ToListAsync(tx.CancellationToken);

    public static async Task<List<Theme>> All(Transaction<RetentionDbContext> tx) =>
        (await Rows(tx)).ConvertAll(row => new Theme(row.Id, row.DisplayName, row.Keywords));
}
