using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using ProgramMessage = Lifecycle.Nurture.V1.Program;
using ProtoStage = Lifecycle.Common.V1.Stage;

namespace Lifecycle.Nurture.Features.ManagePrograms;

/// <summary>Checks and changes of programs.</summary>
internal static class ProgramWriter
{
    private static readonly string[] Clearable = ["exitOnStages", "goalStage"];

    /// <summary>The path that a new program asks for.</summary>
    public static ProgramPath NewPath(CreateProgramRequest request, Violations violations)
    {
        violations.RequireText(request.DisplayName, "displayName");
        var path = new ProgramPath(
            PathMessages.Triggers(request.EntryTriggers, violations),
            PathMessages.Steps(request.Steps, violations),
            PathMessages.Stages(request.ExitOnStages, "exitOnStages", violations),
            PathMessages.Goal(request.GoalStage, violations),
            request.Reentry == ProgramMessage.Types.Reentry.AfterExit ? Reentry.AfterExit : Reentry.Never)
        {
            HoldOutPercent = HoldOutShare(request.HoldOutPercent, violations),
        };
        path.Check(violations, ConditionFault);
        return path;
    }

    /// <summary>The path that an update leaves.</summary>
    public static ProgramPath ChangedPath(ProgramPath path, UpdateProgramRequest request, Violations violations)
    {
        if (request.HasDisplayName)
        {
            violations.RequireText(request.DisplayName, "displayName");
        }

        foreach (var unknown in request.Clear.Except(Clearable))
        {
            violations.Add("clear", $"clear takes {string.Join(" and ", Clearable)}, not {unknown}.");
        }

        var changed = path with
        {
            EntryTriggers = request.EntryTriggers.Count == 0
                ? path.EntryTriggers : PathMessages.Triggers(request.EntryTriggers, violations),
            Steps = request.Steps.Count == 0 ? path.Steps : PathMessages.Steps(request.Steps, violations),
            ExitOnStages = request.Clear.Contains("exitOnStages") ? []
                : request.ExitOnStages.Count == 0 ? path.ExitOnStages
                : PathMessages.Stages(request.ExitOnStages, "exitOnStages", violations),
            GoalStage = request.Clear.Contains("goalStage") ? null
                : request.HasGoalStage ? PathMessages.Goal(request.GoalStage, violations)
                : path.GoalStage,
            Reentry = request.HasReentry
                ? request.Reentry == ProgramMessage.Types.Reentry.AfterExit ? Reentry.AfterExit : Reentry.Never
                : path.Reentry,
            HoldOutPercent = request.HasHoldOutPercent ? HoldOutShare(request.HoldOutPercent, violations) : path.HoldOutPercent,
        };
        changed.Check(violations, ConditionFault);
        return changed;
    }

    /// <summary>Whether an update asks for more than another name.</summary>
    public static bool TouchesPath(UpdateProgramRequest request) =>
        request.EntryTriggers.Count + request.Steps.Count + request.ExitOnStages.Count + request.Clear.Count > 0 || request.HasGoalStage
            || request.HasReentry || request.HasHoldOutPercent;

    /// <summary>Names templates and segments that are not there.</summary>
    public static async Task<Error?> MissingReferences(Transaction<NurtureDbContext> tx, ProgramPath path)
    {
        var violations = new Violations();
        var emailIds = path.Steps.OfType<SendEmailStep>().Select(step => step.EmailId).Distinct().ToList();
        var emails = await tx.Db.Emails.Where(email => email.WorkspaceId == tx.WorkspaceId && emailIds.Contains(email.Id))
            .Select(email => email.Id).ToListAsync(tx.CancellationToken);
        for (var index = 0; index < path.Steps.Count; index++)
        {
            if (path.Steps[index] is SendEmailStep send && !emails.Contains(send.EmailId))
            {
                violations.Add($"steps[{index}].sendEmail.emailId", $"Email {send.EmailId} does not exist in this workspace.");
            }
        }

        var segmentIds = path.EntryTriggers.OfType<SegmentEnteredTrigger>().Select(trigger => trigger.SegmentId).Distinct().ToList();
        var segments = await tx.Db.Segments.Where(segment => segment.WorkspaceId == tx.WorkspaceId && segmentIds.Contains(segment.Id))
            .Select(segment => segment.Id).ToListAsync(tx.CancellationToken);
        for (var index = 0; index < path.EntryTriggers.Count; index++)
        {
            if (path.EntryTriggers[index] is SegmentEnteredTrigger entered && !segments.Contains(entered.SegmentId))
            {
                violations.Add(
                    $"entryTriggers[{index}].segmentEntered.segmentId", $"Segment {entered.SegmentId} does not exist in this workspace.");
            }
        }

        return violations.ToError();
    }

    /// <summary>The program's row, locked and tracked.</summary>
    public static async Task<Result<ProgramRow>> Lock(Transaction<NurtureDbContext> tx, Guid id) => (await tx.Db.Programs.FromSqlRaw(
        "select * from program where workspace_id = @workspace and id = @id for update",
        new NpgsqlParameter("workspace", tx.WorkspaceId),
        new NpgsqlParameter("id", id)).ToListAsync(tx.CancellationToken)) is [var row]
        ? row
        : Error.NotFound("Program", id);

    public static async Task<Result<ProgramRow>> Find(Transaction<NurtureDbContext> tx, Guid id) =>
        await tx.Db.Programs.FirstOrDefaultAsync(
            program => program.WorkspaceId == tx.WorkspaceId && program.Id == id, tx.CancellationToken) is { } row
            ? row
            : Error.NotFound("Program", id);

    public static ProgramMessage ToProto(ProgramRow row)
    {
        var path = ProgramStore.Parse(row.Path);
        return new()
        {
            Id = row.Id.ToString(),
            DisplayName = row.DisplayName,
            State = System.Enum.Parse<ProgramMessage.Types.State>(row.State, ignoreCase: true),
            EntryTriggers = { path.EntryTriggers.Select(PathMessages.ToProto) },
            Steps = { path.Steps.Select(PathMessages.ToProto) },
            ExitOnStages = { path.ExitOnStages.Select(stage => (ProtoStage)(int)stage) },
            GoalStage = (ProtoStage)(int)(path.GoalStage ?? 0),
            Reentry = path.Reentry == Reentry.AfterExit ? ProgramMessage.Types.Reentry.AfterExit : ProgramMessage.Types.Reentry.Never,
            HoldOutPercent = path.HoldOutPercent,
            CreateTime = row.CreateTime.ToTimestamp(),
            UpdateTime = row.UpdateTime.ToTimestamp(),
        };
    }

    private static int HoldOutShare(int percent, Violations violations)
    {
        violations.Require(percent is >= 0 and <= HoldOut.MaxPercent, "holdOutPercent", $"holdOutPercent lies between 0 and {HoldOut.MaxPercent}.");
        return percent;
    }

    private static string? ConditionFault(string text) => Condition.Parse(text, LeadFacts.Catalog).Error?.Violations[0].Message;
}
