using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;
using PathStep = Lifecycle.Nurture.Domain.Programs.Step;

namespace Lifecycle.Nurture.Features.ManagePrograms;

/// <summary>Steps between the messages and the domain.</summary>
internal static class StepMessages
{
    private static readonly TimeOnly Morning = new(9, 0);
    private static readonly string[] DayNames = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

    public static IReadOnlyList<PathStep> Read(IReadOnlyList<V1.Step> messages, Violations violations) =>
        [.. messages.Select((message, index) =>
        {
            var id = message.Id.Length > 0 ? message.Id : string.Create(CultureInfo.InvariantCulture, $"step-{index + 1}");
            return Read(message, id, $"steps[{index}]", violations) with { Next = Edge(message.NextStepId) };
        })];

    public static V1.Step ToProto(PathStep step)
    {
        var message = Action(step);
        (message.Id, message.NextStepId) = (step.Id, step.Next ?? "");
        return message;
    }

    private static PathStep Read(V1.Step message, string id, string field, Violations violations)
    {
        switch (message.ActionCase)
        {
            case V1.Step.ActionOneofCase.SendEmail:
                violations.RequireId(message.SendEmail.EmailId, $"{field}.sendEmail.emailId", out var emailId);
                return new SendEmailStep(id, emailId);
            case V1.Step.ActionOneofCase.Wait:
                return Wait(message.Wait, id, $"{field}.wait", violations);
            case V1.Step.ActionOneofCase.Branch:
                return new BranchStep(id, message.Branch.Condition, Edge(message.Branch.ElseStepId));
            case V1.Step.ActionOneofCase.Split:
                return new SplitStep(
                    id, message.Split.Seed.Length == 0 ? id : message.Split.Seed,
                    [.. message.Split.Ways.Select(way => new SplitWay(way.Percent, Edge(way.StepId)))]);
            case V1.Step.ActionOneofCase.UpdateTrait:
                return new UpdateTraitStep(id, message.UpdateTrait.Trait, message.UpdateTrait.HasValue ? message.UpdateTrait.Value : null);
            case V1.Step.ActionOneofCase.UpdateList:
                violations.RequireId(message.UpdateList.SegmentId, $"{field}.updateList.segmentId", out var segmentId);
                return new UpdateListStep(id, segmentId, !message.UpdateList.Remove);
            case V1.Step.ActionOneofCase.Notify:
                violations.RequireId(message.Notify.EndpointId, $"{field}.notify.endpointId", out var endpointId);
                return new NotifyStep(id, endpointId);
            case V1.Step.ActionOneofCase.HandToSales:
                return new HandToSalesStep(id, message.HandToSales.Note);
            case V1.Step.ActionOneofCase.Goal:
                return new GoalStep(id);
            case V1.Step.ActionOneofCase.Exit:
                return new ExitStep(id);
            default:
                violations.Add(
                    field,
                    $"{field} needs exactly one of sendEmail, wait, branch, split, updateTrait, updateList, notify, handToSales, goal, exit.");
                // Anything that goes on: what follows is not to be faulted for it.
                return new WaitStep(id, TimeSpan.FromSeconds(1));
        }
    }

    private static PathStep Wait(V1.Step.Types.Wait message, string id, string field, Violations violations)
    {
        object?[] given = [message.Duration, message.UntilTime, message.UntilEvent, message.UntilDate, message.UntilEmail];
        violations.Require(
            given.Count(part => part is not null) <= 1, field,
            $"{field} takes one of duration, untilTime, untilEvent, untilDate, untilEmail.");
        if (message.UntilEmail is { } mail)
        {
            violations.Require(
                mail.Engagement is V1.Step.Types.UntilEmail.Types.Engagement.Open or V1.Step.Types.UntilEmail.Types.Engagement.Click,
                $"{field}.untilEmail.engagement", $"{field}.untilEmail.engagement must be OPEN or CLICK.");
            return new WaitEmailStep(
                id, mail.Engagement == V1.Step.Types.UntilEmail.Types.Engagement.Click, Edge(mail.StepId),
                mail.Timeout?.ToTimeSpan() ?? TimeSpan.Zero, Edge(mail.TimeoutStepId));
        }

        if (message.UntilTime is { } time)
        {
            return new WaitTimeStep(id, Time(time.Time, null, $"{field}.untilTime.time", violations), Days(time.Days, field, violations));
        }

        if (message.UntilEvent is { } happens)
        {
            return new WaitEventStep(
                id, happens.Name, Edge(happens.Condition), Edge(happens.KeyProperty), happens.Timeout?.ToTimeSpan() ?? TimeSpan.Zero,
                Edge(happens.TimeoutStepId));
        }

        return message.UntilDate is { } date
            ? new WaitDateStep(
                id, date.Trait, date.OffsetDays, Time(date.Time, Morning, $"{field}.untilDate.time", violations), date.Yearly,
                Edge(date.ElseStepId))
            : new WaitStep(id, message.Duration?.ToTimeSpan() ?? TimeSpan.Zero);
    }

    private static V1.Step Action(PathStep step) => step switch
    {
        SendEmailStep send => new() { SendEmail = new() { EmailId = send.EmailId.ToString() } },
        WaitStep wait => new() { Wait = new() { Duration = wait.Duration.ToDuration() } },
        WaitTimeStep wait => new()
        {
            Wait = new() { UntilTime = new() { Time = Text(wait.At), Days = { wait.Days.Select(day => DayNames[(int)day]) } } },
        },
        WaitEventStep wait => new()
        {
            Wait = new()
            {
                UntilEvent = new()
                {
                    Name = wait.EventName,
                    Condition = wait.Condition ?? "",
                    KeyProperty = wait.KeyProperty ?? "",
                    Timeout = wait.Timeout.ToDuration(),
                    TimeoutStepId = wait.TimeoutStepId ?? "",
                },
            },
        },
        WaitEmailStep wait => new() { Wait = new() { UntilEmail = Email(wait) } },
        WaitDateStep wait => new()
        {
            Wait = new()
            {
                UntilDate = new()
                {
                    Trait = wait.Trait,
                    OffsetDays = wait.OffsetDays,
                    Time = Text(wait.At),
                    Yearly = wait.Yearly,
                    ElseStepId = wait.ElseStepId ?? "",
                },
            },
        },
        BranchStep branch => new() { Branch = new() { Condition = branch.Condition, ElseStepId = branch.ElseStepId ?? "" } },
        SplitStep split => new()
        {
            Split = new()
            {
                Seed = split.Seed,
                Ways = { split.Ways.Select(way => new V1.Step.Types.Split.Types.Way { Percent = way.Percent, StepId = way.StepId ?? "" }) },
            },
        },
        UpdateTraitStep update => new() { UpdateTrait = Trait(update) },
        UpdateListStep list => new() { UpdateList = new() { SegmentId = list.SegmentId.ToString(), Remove = !list.Adds } },
        NotifyStep notify => new() { Notify = new() { EndpointId = notify.EndpointId.ToString() } },
        HandToSalesStep hand => new() { HandToSales = new() { Note = hand.Note } },
        GoalStep => new() { Goal = new() },
        _ => new() { Exit = new() },
    };

    private static V1.Step.Types.UntilEmail Email(WaitEmailStep wait) => new()
    {
        Engagement = wait.IsClick ? V1.Step.Types.UntilEmail.Types.Engagement.Click : V1.Step.Types.UntilEmail.Types.Engagement.Open,
        StepId = wait.MailStepId ?? "",
        Timeout = wait.Timeout.ToDuration(),
        TimeoutStepId = wait.TimeoutStepId ?? "",
    };

    private static V1.Step.Types.UpdateTrait Trait(UpdateTraitStep update)
    {
        var message = new V1.Step.Types.UpdateTrait { Trait = update.Trait };
        if (update.Value is { } value)
        {
            message.Value = value;
        }

        return message;
    }

    /// <summary>A time of day such as <c>09:00</c>.</summary>
    /// <param name="absent">What an empty text means; null: a fault.</param>
    internal static TimeOnly Time(string text, TimeOnly? absent, string field, Violations violations)
    {
        if (text.Length == 0 && absent is { } time)
        {
            return time;
        }

        violations.Require(
            TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var read),
            field, $"{field} must be a time of day such as 09:00.");
        return read;
    }

    internal static string Text(TimeOnly time) => time.ToString("HH:mm", CultureInfo.InvariantCulture);

    private static DayOfWeek[] Days(IEnumerable<string> names, string field, Violations violations)
    {
        var days = names.Select(name => Array.IndexOf(DayNames, name)).Distinct().ToList();
        violations.Require(
            !days.Contains(-1), $"{field}.untilTime.days", $"{field}.untilTime.days takes MON, TUE, WED, THU, FRI, SAT and SUN.");
        return [.. days.Where(day => day >= 0).Select(day => (DayOfWeek)day)];
    }

    private static string? Edge(string text) => text.Length == 0 ? null : text;
}
