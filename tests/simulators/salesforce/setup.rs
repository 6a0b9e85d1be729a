//! Fields of the objects an org is set up with: stages, currencies, users, rights; in the notation of [`super::standard`].

pub(super) const STAGE: &str = "
ApiName | API Name | text 255
MasterLabel | Master Label | text 255
IsActive | Is Active | bool
IsClosed | Closed | bool
IsWon | Won | bool
DefaultProbability | Default Probability | percent 3 0
ForecastCategory | Forecast Category | text 40
ForecastCategoryName | Forecast Category Name | text 255
SortOrder | Sort Order | int
Description | Description | textarea 255
";
pub(super) const LEAD_STATUS: &str = "
ApiName | API Name | text 255
MasterLabel | Master Label | text 255
IsDefault | Is Default | bool
IsConverted | Converted | bool
SortOrder | Sort Order | int
";
pub(super) const CURRENCY: &str = "
IsoCode | Currency ISO Code | text 3
ConversionRate | Conversion Rate | double 18 6
DecimalPlaces | Decimal Places | int
IsActive | Active | bool
IsCorporate | Corporate Currency | bool
";
pub(super) const ORGANIZATION: &str = "
Name | Name | text 80
IsSandbox | Is Sandbox | bool
InstanceName | Instance Name | text 5
OrganizationType | Edition | text 40
DefaultCurrencyIsoCode | Default Currency ISO Code | text 3 | orgcurrency
";
pub(super) const USER: &str = "
Username | Username | text 80
LastName | Last Name | text 80
FirstName | First Name | text 40
Name | Full Name | text 121
Email | Email | email 128
Phone | Phone | phone 40
MobilePhone | Mobile | phone 40
Title | Title | text 80
UserType | User Type | text 40
IsActive | Active | bool
CurrencyIsoCode | User Currency | picklist @CurrencyType | currency
DefaultCurrencyIsoCode | Default Currency ISO Code | picklist @CurrencyType | currency
";
pub(super) const PERMISSION_SET: &str = "
Name | Permission Set Name | text 80 | required
Label | Permission Set Label | text 80 | required
Description | Description | text 255
IsOwnedByProfile | Is Owned By Profile | bool | readonly
";
pub(super) const ASSIGNMENT: &str = "
PermissionSetId | PermissionSet ID | ref PermissionSet PermissionSet Assignments | required createonly cascade
AssigneeId | Assignee ID | ref User Assignee PermissionSetAssignments | required createonly cascade
";
pub(super) const FIELD_PERMISSIONS: &str = "
ParentId | Parent ID | ref PermissionSet Parent FieldPerms | required createonly cascade
SobjectType | Sobject Type Name | text 255 | required createonly
Field | Field Name | text 255 | required createonly
PermissionsRead | Read Field | bool
PermissionsEdit | Edit Field | bool
";
pub(super) const OBJECT_PERMISSIONS: &str = "
ParentId | Parent ID | ref PermissionSet Parent ObjectPerms | required createonly cascade
SobjectType | Object Type Name | text 255 | required createonly
PermissionsRead | Read Records | bool
PermissionsCreate | Create Records | bool
PermissionsEdit | Edit Records | bool
PermissionsDelete | Delete Records | bool
PermissionsViewAllRecords | Read All Records | bool
PermissionsModifyAllRecords | Edit All Records | bool
";
