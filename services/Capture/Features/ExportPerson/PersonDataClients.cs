using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Capture.Features.ExportPerson;

/// <summary>One client type per service: the client factory tells clients apart by their types.</summary>
internal static class PersonDataClients
{
    /// <summary>
    /// As much as Postgres puts into one array of JSON. A client's own bound, 4 MiB, is less than a few years of an eager person.
    /// </summary>
    private const int MaxAnswerBytes = 256 * 1024 * 1024;

    public static void AddPersonDataClients(this IHostApplicationBuilder builder)
    {
        builder.Add<ScoringPersonData>("scoring");
        builder.Add<NurturePersonData>("nurture");
        builder.Add<ConversionPersonData>("conversion");
        builder.Add<RetentionPersonData>("retention");
    }

    private static void Add<TClient>(this IHostApplicationBuilder builder, string service)
        where TClient : PersonDataService.PersonDataServiceClient
    {
        builder.AddRpcClient<TClient>(service).ConfigureChannel(channel => channel.MaxReceiveMessageSize = MaxAnswerBytes);
        builder.Services.AddSingleton(provider => new PersonDataSource(service, provider.GetRequiredService<TClient>));
    }

    internal sealed class ScoringPersonData(CallInvoker calls) : PersonDataService.PersonDataServiceClient(calls);

    internal sealed class NurturePersonData(CallInvoker calls) : PersonDataService.PersonDataServiceClient(calls);

    internal sealed class ConversionPersonData(CallInvoker calls) : PersonDataService.PersonDataServiceClient(calls);

    internal sealed class RetentionPersonData(CallInvoker calls) : PersonDataService.PersonDataServiceClient(calls);
}
