using Lifecycle.EndToEndTests;

[assembly: AssemblyFixture(typeof(RunningSuite))]
[assembly: CollectionBehavior(DisableTestParallelization = true)]
