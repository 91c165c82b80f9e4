using System.Text.Json;
using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Features.AnswerHandoff;

/// <summary>Sales take a qualified lead, or hand it back.</summary>
public sealed class AnswerHandoff(UnitOfWork<ConversionDbContext> work, TimeProvider time)
{
    public async Task<Result<Handoff>> Accept(AcceptHandoffRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.Require(request.Owner.Length <= 200, "owner", "owner has at most 200 characters.");
        BackfillTime.Check(request.AcceptTime.ToTime(), "acceptTime", time.GetUtcNow(), violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.RunIdempotent<Handoff>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            if (await Lock(tx, id) is not var (handoff, lead))
            {
                return Error.NotFound("Hand-off", id);
            }

            var accepted = await HandoffAnswers.Accept(
                tx, handoff, lead, request.Owner, request.AcceptTime.ToTime() ?? tx.Now, caller.Actor);
            return accepted.Error is { } refused ? refused : handoff.ToProto(tx.Now);
        }, ct);
    }

    public async Task<Result<Handoff>> Return(ReturnHandoffRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.RequireText(request.Reason, "reason", 100);
        violations.Require(request.Note.Length <= 2000, "note", "note has at most 2000 characters.");
        BackfillTime.Check(request.ReturnTime.ToTime(), "returnTime", time.GetUtcNow(), violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.RunIdempotent<Handoff>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            if (await Lock(tx, id) is not var (handoff, lead))
            {
                return Error.NotFound("Hand-off", id);
            }

            var reasons = await ReturnReasonList.Read(tx);
            if (!reasons.Contains(request.Reason))
            {
                return Error.Invalid(
                    "reason", $"{request.Reason} is no return reason of this workspace; accepted are {string.Join(", ", reasons)}.");
            }

            var returned = await HandoffAnswers.Return(
                tx, handoff, lead, request.Reason, request.Note, request.ReturnTime.ToTime() ?? tx.Now, caller.Actor);
            return returned.Error is { } refused ? refused : handoff.ToProto(tx.Now);
        }, ct);
    }

    /// <summary>Locks the hand-off's lead, then the hand-off, in that order as everywhere.</summary>
    internal static async Task<(HandoffRow Handoff, LeadRow Lead)?> Lock(Transaction<ConversionDbContext> tx, Guid id)
    {
        var leadId = await tx.Connection.ExecuteScalarAsync<Guid?>(new CommandDefinition(
            "select lead_id from handoff where workspace_id = @workspace and id = @id",
            new { workspace = tx.WorkspaceId, id },
            cancellationToken: tx.CancellationToken));
        if (leadId is null || await StageLedger.LockKnown(tx, leadId.Value) is not { } lead)
        {
            return null;
        }

        var handoff = await tx.Db.Handoffs.FromSql($"select * from handoff where workspace_id = {tx.WorkspaceId} and id = {id} for update")
            .ToListAsync(tx.CancellationToken);
        return (handoff.Single(), lead);
    }
}

/// <summary>The reasons that a hand-back may give in a workspace.</summary>
public static class ReturnReasonList
{
    public static async Task<IReadOnlyList<string>> Read(Transaction<ConversionDbContext> tx) =>
        await tx.Db.ReturnReasons.SingleOrDefaultAsync(row => row.WorkspaceId == tx.WorkspaceId, tx.CancellationToken) is { } own
            ? own.Reasons
            : HandoffMachine.DefaultReturnReasons;

    public static async Task<Result<ReturnReasons>> Update(
        UnitOfWork<ConversionDbContext> work, UpdateReturnReasonsRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.Require(
            request.Reasons.Count is >= 1 and <= 50, "reasons", $"reasons has {request.Reasons.Count} codes; 1 to 50 are accepted.");
        for (var index = 0; index < request.Reasons.Count; index++)
        {
            var code = request.Reasons[index];
            violations.Require(
                code.Length is >= 1 and <= 100 && code.All(
                    letter => char.IsAsciiLetterUpper(letter) || char.IsAsciiDigit(letter) || letter == '_'),
                $"reasons[{index}]",
                $"{code} is no code such as NO_BUDGET.");
            violations.Require(request.Reasons.IndexOf(code) == index, $"reasons[{index}]", $"{code} is given twice.");
        }

        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.RunIdempotent<ReturnReasons>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            await tx.Connection.ExecuteAsync(new CommandDefinition(
                """
                insert into return_reasons (workspace_id, reasons) values (@workspace, @reasons)
                on conflict (workspace_id) do update set reasons = excluded.reasons
                """,
                new { workspace = tx.WorkspaceId, reasons = request.Reasons.ToArray() },
                cancellationToken: ct));
            return new ReturnReasons { Reasons = { request.Reasons } };
        }, ct);
    }
}

/// <summary>Hand-offs as messages.</summary>
public static class HandoffMessages
{
    /// <param name="now">Against it the deadline of an open one is held.</param>
    public static Handoff ToProto(this HandoffRow row, DateTimeOffset now)
    {
        var handoff = new Handoff
        {
            Id = row.Id.ToString(),
            LeadId = row.LeadId.ToString(),
            State = (Handoff.Types.State)(int)row.State,
            Owner = row.Owner ?? "",
            CreateTime = row.CreateTime.ToProto(),
            AcceptTime = row.AcceptTime.ToProto(),
            CloseTime = row.CloseTime.ToProto(),
            ReturnReason = row.ReturnReason ?? "",
            Note = row.Note ?? "",
            DueTime = row.DueTime.ToProto(),
            Overdue = row.DueTime < (row.AcceptTime ?? row.CloseTime ?? now),
            TeamId = row.TeamId?.ToString() ?? "",
            Reopened = row.Reopened,
        };
        if (row.Score is { } score)
        {
            handoff.Score = (double)score;
        }

        handoff.Reasons.AddRange(JsonSerializer.Deserialize<ReasonInfo[]>(row.Reasons, JsonSerializerOptions.Web)!.Select(reason =>
            new HandoffReason
            {
                RuleId = reason.RuleId,
                Text = reason.Text,
                Points = (double)reason.Points,
                Time = reason.Time.ToProto(),
            }));
        return handoff;
    }

    public static HandoffAssignment ToProto(this HandoffAssignmentRow row) => new()
    {
        Owner = row.Owner ?? "",
        TeamId = row.TeamId?.ToString() ?? "",
        Actor = row.Actor,
        Time = row.Time.ToProto(),
    };
}
