using System.Globalization;
using System.Net;
using System.Text;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Features.AskSurveys;
using Lifecycle.Retention.Storage;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.AnswerByLink;

/// <summary>The page on which a customer answers: plain HTML and CSS that a phone, a keyboard and a screen reader can use.</summary>
public sealed class AnswerPage(UnitOfWork<RetentionDbContext> work, SurveyLinks links, TimeProvider time)
{
    private const int MaxComment = 4000;

    public void Map(WebApplication app)
    {
        app.MapGet("/s/{token}", Show).AllowPublic();
        app.MapPost("/s/{token}", Answer).DisableAntiforgery().AllowPublic();
    }

    private async Task<IResult> Show(string token, CancellationToken cancellationToken)
    {
        if (links.Read(token) is not { } target || await Survey(target, cancellationToken) is not { } survey)
        {
            return Page("This link is no longer good", "<p>Ask whoever sent it for a new one.</p>", StatusCodes.Status404NotFound);
        }

        return Form(survey, fault: null, StatusCodes.Status200OK);
    }

    private async Task<IResult> Answer(string token, HttpRequest request, CancellationToken cancellationToken)
    {
        if (links.Read(token) is not { } target || await Survey(target, cancellationToken) is not { } survey)
        {
            return Page("This link is no longer good", "<p>Ask whoever sent it for a new one.</p>", StatusCodes.Status404NotFound);
        }

        if (!request.HasFormContentType)
        {
            return Form(survey, "Please use the form.", StatusCodes.Status415UnsupportedMediaType);
        }

        var form = await request.ReadFormAsync(cancellationToken);
        var comment = form["comment"].ToString();
        if (!int.TryParse(form["score"], NumberStyles.None, CultureInfo.InvariantCulture, out var score) || comment.Length > MaxComment)
        {
            return Form(
                survey, comment.Length > MaxComment ? $"Please keep the comment under {MaxComment} characters." : "Please choose a number.",
                StatusCodes.Status400BadRequest);
        }

        var result = await work.Run(
            target.WorkspaceId,
            tx => Record(tx, target, score, comment),
            cancellationToken);
        return result.Error switch
        {
            null => Page("Thank you", "<p>Your answer is with us. You may change it with the same link.</p>", StatusCodes.Status200OK),
            { Kind: ErrorKind.InvalidArgument } error => Form(survey, error.Message, StatusCodes.Status400BadRequest),
            _ => Page("This link is no longer good", "<p>Ask whoever sent it for a new one.</p>", StatusCodes.Status404NotFound),
        };
    }

    /// <summary>A link names an invitation, or a customer where somebody made it by hand.</summary>
    private async Task<Result<SurveyAnswerRow>> Record(
        Transaction<RetentionDbContext> tx, SurveyLinkTarget target, int score, string comment)
    {
        var invitation = await tx.Db.Invitations.SingleOrDefaultAsync(
            row => row.WorkspaceId == tx.WorkspaceId && row.Id == target.AskedId && row.SurveyId == target.SurveyId, tx.CancellationToken);
        return await RecordAnswer.Run(
            tx,
            target.SurveyId,
            new(
                invitation?.CustomerId ?? target.AskedId, invitation?.LeadId, score, comment, time.GetUtcNow(),
                ByLink: true, invitation?.Id));
    }

    private Task<SurveyRow?> Survey(SurveyLinkTarget target, CancellationToken cancellationToken) => work.Read(
        target.WorkspaceId,
        tx => tx.Db.Surveys.SingleOrDefaultAsync(
            row => row.WorkspaceId == target.WorkspaceId && row.Id == target.SurveyId, tx.CancellationToken),
        cancellationToken);

    private static IResult Form(SurveyRow survey, string? fault, int status)
    {
        var (low, high) = survey.Type.Range();
        var html = new StringBuilder();
        if (fault is not null)
        {
            html.Append(CultureInfo.InvariantCulture, $"<p role=\"alert\">{WebUtility.HtmlEncode(fault)}</p>");
        }

        html.Append("<form method=\"post\"><fieldset><legend>From ").Append(low).Append(" (not at all) to ").Append(high)
            .Append(" (very)</legend>");
        for (var score = low; score <= high; score++)
        {
            html.Append(
                CultureInfo.InvariantCulture,
                $"<label><input type=\"radio\" name=\"score\" value=\"{score}\" required><span>{score}</span></label>");
        }

        html.Append(
            CultureInfo.InvariantCulture,
            $"</fieldset><label class=\"comment\" for=\"comment\">What is the reason?</label><textarea id=\"comment\" name=\"comment\" rows=\"4\" maxlength=\"{MaxComment}\"></textarea><button>Send</button></form>");
        return Page(survey.Question, html.ToString(), status);
    }

    private static IResult Page(string title, string body, int status) => Results.Content(
        $$"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>{{WebUtility.HtmlEncode(title)}}</title>
        <style>
        body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f23; background: #fff }
        h1 { font-size: 1.4rem }
        fieldset { border: 0; padding: 0; margin: 1rem 0; display: flex; flex-wrap: wrap; gap: .5rem }
        fieldset label { border: 1px solid #57606a; border-radius: .4rem; min-width: 2.75rem; min-height: 2.75rem; display: inline-flex; align-items: center; justify-content: center; cursor: pointer }
        fieldset input { position: absolute; opacity: 0 }
        fieldset label:has(:checked) { background: #0550ae; color: #fff }
        fieldset label:has(:focus-visible), textarea:focus-visible, button:focus-visible { outline: 3px solid #bf8700; outline-offset: 2px }
        .comment { display: block; margin-top: 1rem }
        textarea { width: 100%; box-sizing: border-box; font: inherit; padding: .5rem }
        button { font: inherit; padding: .6rem 1.4rem; margin-top: 1rem; border: 0; border-radius: .4rem; background: #0550ae; color: #fff; cursor: pointer }
        [role=alert] { color: #a40e26; font-weight: 600 }
        </style>
        </head>
        <body>
        <main>
        <h1>{{WebUtility.HtmlEncode(title)}}</h1>
        {{body}}
        </main>
        </body>
        </html>
        """,
        "text/html; charset=utf-8",
        Encoding.UTF8,
        status);
}
