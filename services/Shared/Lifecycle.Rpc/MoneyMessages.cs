using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using ProtoGranularity = Lifecycle.Common.V1.Granularity;
using ProtoMoney = Lifecycle.Common.V1.Money;
using ProtoStage = Lifecycle.Common.V1.Stage;

namespace Lifecycle.Rpc;

/// <summary>Kernel values as proto messages and back.</summary>
public static class MoneyMessages
{
    public static ProtoMoney ToProto(this Money money) => new() { CurrencyCode = money.CurrencyCode, Amount = money.AmountText };

    /// <summary>The amount, or violations <c>currencyCode</c> and <c>amount</c>.</summary>
    public static Result<Money> Parse(this ProtoMoney money) => Money.Parse(money.CurrencyCode, money.Amount);

    /// <summary>The amount of a required field; faults are named under <paramref name="field"/>.</summary>
    public static bool RequireMoney(this Violations violations, ProtoMoney? message, string field, out Money money)
    {
        money = default;
        return violations.Require(message is not null, field, $"{field} is required.")
            && violations.RequireMoney(message!.CurrencyCode, message.Amount, field, out money);
    }
}

/// <summary>Times, stages and granularities as proto values and back.</summary>
public static class ValueMessages
{
    public static Timestamp ToProto(this DateTimeOffset time) => Timestamp.FromDateTimeOffset(time);

    /// <summary>Null stays unset.</summary>
    public static Timestamp? ToProto(this DateTimeOffset? time) => time is { } value ? Timestamp.FromDateTimeOffset(value) : null;

    /// <summary>Null where the field is not set.</summary>
    public static DateTimeOffset? ToTime(this Timestamp? timestamp) => timestamp?.ToDateTimeOffset();

    public static ProtoStage ToProto(this Stage stage) => (ProtoStage)(int)stage;

    /// <summary>Null for STAGE_UNSPECIFIED and values that are not known.</summary>
    public static Stage? ToKernel(this ProtoStage stage) => System.Enum.IsDefined((Stage)(int)stage) ? (Stage)(int)stage : null;

    /// <summary>MONTH where nothing is given.</summary>
    public static Granularity ToKernel(this ProtoGranularity granularity) =>
        System.Enum.IsDefined((Granularity)(int)granularity) ? (Granularity)(int)granularity : Granularity.Month;
}
