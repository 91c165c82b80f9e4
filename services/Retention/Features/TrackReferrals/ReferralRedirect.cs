using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.TrackReferrals;

/// <summary>The public address of a link: counts the click and leads on to a landing page of the workspace, never elsewhere.</summary>
public sealed class ReferralRedirect(UnitOfWork<RetentionDbContext> work)
{
    public void Map(WebApplication app) => app.MapMethods("/r/{workspace}/{code}", ["GET", "HEAD"], Follow).AllowPublic();

    private async Task<IResult> Follow(string workspace, string code, HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers["X-Robots-Tag"] = "noindex";
        if (ReferralLinks.Workspace(workspace) is not { } workspaceId || ReferralCodes.Normalize(code) is not { } known)
        {
            return Unknown();
        }

        var headers = http.Request.Headers;
        var isProgram = Visitors.IsProgram(http.Request.Method, headers.UserAgent, headers["Sec-Purpose"].ToString() + headers["Purpose"]);
        Uri? target = null;
        await work.Run(
            workspaceId,
            async tx => target = await Count(tx, known, isProgram),
            http.RequestAborted);
        return target is null ? Unknown() : Results.Redirect(target.AbsoluteUri);
    }

    /// <summary>A revoked link leads its visitors on, uncounted and without its code.</summary>
    private static async Task<Uri?> Count(Transaction<RetentionDbContext> tx, string code, bool isProgram)
    {
        var link = await tx.Db.ReferralLinks.AsNoTracking().SingleOrDefaultAsync(
            row => row.WorkspaceId == tx.WorkspaceId && row.Code == code, tx.CancellationToken);
        var settings = link is null ? null : await ReferralLinks.Settings(tx);
        if (link is null || ReferralLinks.Landing(settings!, link.LandingPage) is not { } landing)
        {
            return null;
        }

        if (link.RevokeTime is not null)
        {
            return landing;
        }

        await tx.Connection.ExecuteAsync(
            """
            insert into referral_click (workspace_id, link_id, time, people, programs)
            values (@workspaceId, @linkId, date_bin('15 minutes', @now, '2000-01-01 00:00:00Z'), @people, @programs)
            on conflict (workspace_id, link_id, time) do update
            set people = referral_click.people + excluded.people, programs = referral_click.programs + excluded.programs
            """,
            new
            {
                workspaceId = tx.WorkspaceId,
                linkId = link.Id,
                now = tx.Now,
                people = isProgram ? 0L : 1L,
                programs = isProgram ? 1L : 0L
            });
        return LandingPages.Target(landing, link.Code, settings!.UtmSource, link.Program);
    }

    private static IResult Unknown() =>
        Results.Text("This link is no longer good.", "text/plain; charset=utf-8", statusCode: StatusCodes.Status404NotFound);
}
