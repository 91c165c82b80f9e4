using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;
using EntryTriggerRule = Lifecycle.Nurture.Domain.Programs.EntryTrigger;
using PathStep = Lifecycle.Nurture.Domain.Programs.Step;
using ProtoStage = Lifecycle.Common.V1.Stage;

namespace Lifecycle.Nurture.Features.ManagePrograms;

/// <summary>A program's path between the messages and the domain.</summary>
internal static class PathMessages
{
    private static readonly string[] CaptureTypes = ["FORM", "CALL", "CHAT", "IMPORT", "API", "IDENTIFY"];

    public static IReadOnlyList<EntryTriggerRule> Triggers(IReadOnlyList<V1.EntryTrigger> messages, Violations violations)
    {
        var triggers = new List<EntryTriggerRule>();
        for (var index = 0; index < messages.Count; index++)
        {
            var field = $"entryTriggers[{index}]";
            triggers.Add(messages[index].TriggerCase switch
            {
                V1.EntryTrigger.TriggerOneofCase.LeadCaptured =>
                    Captured(messages[index].LeadCaptured, field + ".leadCaptured", violations),
                V1.EntryTrigger.TriggerOneofCase.StageChanged => Moved(messages[index].StageChanged, field + ".stageChanged", violations),
                V1.EntryTrigger.TriggerOneofCase.SegmentEntered =>
                    Entered(messages[index].SegmentEntered, field + ".segmentEntered", violations),
                V1.EntryTrigger.TriggerOneofCase.Event => Did(messages[index].Event, field + ".event", violations),
                V1.EntryTrigger.TriggerOneofCase.Manual => new ManualTrigger(),
                _ => Missing(field, violations),
            });
        }

        return triggers;
    }

    public static IReadOnlyList<PathStep> Steps(IReadOnlyList<V1.Step> messages, Violations violations)
    {
        var steps = new List<PathStep>();
        for (var index = 0; index < messages.Count; index++)
        {
            var (message, field) = (messages[index], $"steps[{index}]");
            var id = message.Id.Length > 0 ? message.Id : string.Create(CultureInfo.InvariantCulture, $"step-{index + 1}");
            switch (message.ActionCase)
            {
                case V1.Step.ActionOneofCase.SendEmail:
                    violations.RequireId(message.SendEmail.EmailId, $"{field}.sendEmail.emailId", out var emailId);
                    steps.Add(new SendEmailStep(id, emailId));
                    break;
                case V1.Step.ActionOneofCase.Wait:
                    steps.Add(new WaitStep(id, message.Wait.Duration?.ToTimeSpan() ?? TimeSpan.Zero));
                    break;
                case V1.Step.ActionOneofCase.Branch:
                    var elseStep = message.Branch.ElseStepId.Length == 0 ? null : message.Branch.ElseStepId;
                    steps.Add(new BranchStep(id, message.Branch.Condition, elseStep));
                    break;
                case V1.Step.ActionOneofCase.Exit:
                    steps.Add(new ExitStep(id));
                    break;
                default:
                    violations.Add(field, $"{field} needs exactly one of sendEmail, wait, branch, exit.");
                    steps.Add(new ExitStep(id));
                    break;
            }
        }

        return steps;
    }

    /// <summary>Stages a lead can be at.</summary>
    public static IReadOnlyList<Stage> Stages(IEnumerable<ProtoStage> messages, string field, Violations violations)
    {
        var stages = messages.Select(stage => (Stage)(int)stage).Distinct().ToList();
        violations.Require(stages.TrueForAll(stage => stage > Stage.Visitor), field, $"{field} takes stages from LEAD on.");
        return stages;
    }

    /// <summary>The goal; null where none is given.</summary>
    public static Stage? Goal(ProtoStage message, Violations violations) =>
        message == ProtoStage.Unspecified ? null : Stages([message], "goalStage", violations)[0];

    public static V1.EntryTrigger ToProto(EntryTriggerRule trigger) => trigger switch
    {
        LeadCapturedTrigger captured => new()
        {
            LeadCaptured = new() { CaptureTypes = { captured.CaptureTypes }, MaxAge = captured.MaxAge.ToDuration() },
        },
        StageChangedTrigger moved => new()
        {
            StageChanged = new() { To = (ProtoStage)(int)moved.To, Reason = moved.Reason ?? "", MaxAge = moved.MaxAge.ToDuration() },
        },
        SegmentEnteredTrigger entered => new() { SegmentEntered = new() { SegmentId = entered.SegmentId.ToString() } },
        EventTrigger did => new() { Event = new() { Name = did.EventName, MaxAge = did.MaxAge.ToDuration() } },
        _ => new() { Manual = new() },
    };

    public static V1.Step ToProto(PathStep step) => step switch
    {
        SendEmailStep send => new() { Id = step.Id, SendEmail = new() { EmailId = send.EmailId.ToString() } },
        WaitStep wait => new() { Id = step.Id, Wait = new() { Duration = wait.Duration.ToDuration() } },
        BranchStep branch => new() { Id = step.Id, Branch = new() { Condition = branch.Condition, ElseStepId = branch.ElseStepId ?? "" } },
        _ => new() { Id = step.Id, Exit = new() },
    };

    private static LeadCapturedTrigger Captured(V1.EntryTrigger.Types.LeadCaptured message, string field, Violations violations)
    {
        foreach (var unknown in message.CaptureTypes.Except(CaptureTypes))
        {
            violations.Add($"{field}.captureTypes", $"{field}.captureTypes has no {unknown}; it takes {string.Join(", ", CaptureTypes)}.");
        }

        return new(message.CaptureTypes.Distinct().ToArray(), MaxAge(message.MaxAge, field, violations));
    }

    private static StageChangedTrigger Moved(V1.EntryTrigger.Types.StageChanged message, string field, Violations violations)
    {
        Stages([message.To], $"{field}.to", violations);
        violations.Require(message.Reason.Length <= 100, $"{field}.reason", $"{field}.reason has at most 100 characters.");
        return new((Stage)(int)message.To, message.Reason.Length == 0 ? null : message.Reason, MaxAge(message.MaxAge, field, violations));
    }

    private static SegmentEnteredTrigger Entered(V1.EntryTrigger.Types.SegmentEntered message, string field, Violations violations)
    {
        violations.RequireId(message.SegmentId, $"{field}.segmentId", out var id);
        return new(id);
    }

    private static EventTrigger Did(V1.EntryTrigger.Types.Event message, string field, Violations violations)
    {
        violations.RequireText(message.Name, $"{field}.name");
        return new(message.Name, MaxAge(message.MaxAge, field, violations));
    }

    private static ManualTrigger Missing(string field, Violations violations)
    {
        violations.Add(field, $"{field} needs exactly one of leadCaptured, stageChanged, segmentEntered, event, manual.");
        return new();
    }

    private static TimeSpan MaxAge(Duration? duration, string field, Violations violations)
    {
        var age = duration?.ToTimeSpan() ?? EntryTriggerRule.DefaultMaxAge;
        violations.Require(
            age > TimeSpan.Zero && age <= TimeSpan.FromDays(3660),
            $"{field}.maxAge",
            $"{field}.maxAge must be more than 0s and at most ten years.");
        return age;
    }
}
